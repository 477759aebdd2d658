"""The policy pack: `pulumi preview --policy-pack policies`. The rules themselves are plain functions in ml_policies."""

from collections.abc import Mapping
from typing import Any

from ml_policies import POLICIES
from ml_policies.policy import Policy
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)


def pulumi_policy(policy: Policy) -> ResourceValidationPolicy:
    """The rule as the engine calls it: for Kubernetes objects only."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not args.resource_type.startswith("kubernetes:") or "kind" not in args.props:
            return
        manifest: Mapping[str, Any] = args.props
        for problem in policy.check(manifest):
            report(f"{manifest['kind']} {args.name}: {problem}", None)

    return ResourceValidationPolicy(
        name=policy.name,
        description=policy.description,
        validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY,
    )


PolicyPack(name="ml-platform", policies=[pulumi_policy(policy) for policy in POLICIES])
