"""Nobody of the stack is the cloud account's administrator."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource

PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})
AMAZON = ("aws:iam/policy:", "aws:iam/rolePolicy:", "aws:iam/userPolicy:", "aws:iam/groupPolicy:", "aws:iam/role:")
MEMBERS = ("IAMMember", "IAMBinding")
ACCESS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
ATTACHED = ("aws:iam/rolePolicyAttachment:", "aws:iam/userPolicyAttachment:", "aws:iam/groupPolicyAttachment:")


class Refused(Parameters):
    google: frozenset[str] = frozenset({"roles/owner", "roles/editor"})
    """Google's roles that must not be given."""
    amazon: frozenset[str] = frozenset({"AdministratorAccess", "PowerUserAccess", "AmazonEKSClusterAdminPolicy"})
    """Amazon's own policies that must not be attached, by name."""


def granting(resource: Resource) -> Sequence[Resource]:
    google = resource.type.startswith("gcp:") and resource.type.endswith(MEMBERS)
    amazon = resource.type.startswith((*AMAZON, *ATTACHED)) or resource.type == ACCESS
    return (resource,) if google or amazon else ()


def check(grant: Resource, parameters: Refused) -> Iterator[str]:
    props = grant.props
    if grant.type.startswith("gcp:"):
        members = [str(each) for each in (props.get("members") or [props.get("member")])]
        if anybody := sorted(PUBLIC.intersection(members)):
            yield f"it gives {props.get('role')} to {', '.join(anybody)}, which is everybody; name who needs it"
        if props.get("role") in parameters.google:
            yield f"it gives {props['role']}, which is nearly everything; give the roles that are used"
    elif (name := str(props.get("policyArn", "")).rpartition("/")[2]) in parameters.amazon:
        yield f"it attaches {name}, which is nearly everything; attach a policy with the rights that are used"
    for statement in _statements(props.get("policy")):
        if statement.get("Effect") == "Allow" and any(
            each in ("*", "*:*") for each in _listed(statement.get("Action"))
        ):
            yield "a statement of its policy allows every action; list those that are used"
        if statement.get("Effect") == "Allow" and "NotAction" in statement:
            yield "a statement of its policy allows all actions but some; list those that are used"


def _statements(policy: Any) -> list[Any]:
    document = json.loads(policy) if isinstance(policy, str) else policy or {}
    return _listed(document.get("Statement"))


def _listed(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str | dict) else list(value)


POLICY = ResourcePolicy(
    name="no-cloud-admin",
    asks="No account of the cloud may do everything, and nothing is everybody's.",
    why="One key that leaks is then the whole account, with all that others have in it.",
    parameters=Refused,
    of=granting,
    check=check,
    example="""
type: gcp:projects/iAMMember:IAMMember
name: jobs
props: {project: ml, role: roles/owner, member: "serviceAccount:jobs@ml.iam.gserviceaccount.com"}
""",
)
