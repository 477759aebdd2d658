"""The policy pack: `pulumi preview --policy-pack policies`. The rules themselves are plain functions in ml_policies."""

from ml_policies.catalog import POLICIES
from ml_policies.engine.exemptions import load
from ml_policies.engine.judge import Judge
from ml_policies.engine.server import serve

serve(lambda: Judge(POLICIES, load()))
