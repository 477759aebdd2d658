"""The page about the policies is what the policies say."""

from __future__ import annotations

import pytest
from ml_policies import docs
from ml_policies.catalog import POLICIES
from ml_policies.engine.policy import Policy


def test_the_page_is_fresh() -> None:
    assert docs.PAGE.read_text() == docs.page(), "docs/policies.md is stale: make policies"


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_an_example_is_refused_and_every_parameter_is_described(policy: Policy) -> None:
    assert docs.findings(policy)
    assert set(docs.described(policy)) == set(policy.parameters.model_fields)
