"""Nobody of the stack is the cloud account's administrator."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource

PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers", "public-read", "public-read-write", "authenticated-read"})
"""Everybody, as members and as the lists of access that come with a bucket."""
GRANTS = re.compile(r"^gcp:.*(IAM|Iam)(Member|Binding|Policy)$|^gcp:storage/.*(AccessControl|ACL)$")
DOCUMENTS = ("policy", "assumeRolePolicy", "accessPolicies", "resourcePolicy")
ATTACHED = ("policyArn", "managedPolicyArns", "policyArns")
LISTS = ("acl", "predefinedAcl", "defaultAcl", "cannedAcl", "entity")
MASTERS = "system:masters"


class Refused(Parameters):
    google: frozenset[str] = frozenset(
        {
            "roles/owner", "roles/editor", "roles/iam.securityAdmin", "roles/iam.serviceAccountTokenCreator",
            "roles/iam.serviceAccountKeyAdmin", "roles/resourcemanager.projectIamAdmin",
            "roles/resourcemanager.organizationAdmin", "roles/resourcemanager.folderAdmin",
        }
    )  # fmt: skip
    """Google's roles that must not be given."""
    amazon: frozenset[str] = frozenset(
        {
            "AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonEKSClusterAdminPolicy",
            "AmazonEKSAdminPolicy",
        }
    )  # fmt: skip
    """Amazon's own policies that must not be attached, by name."""


def granting(resource: Resource) -> Sequence[Resource]:
    return (resource,) if resource.type.startswith(("aws:", "ionoscloud:")) or GRANTS.match(resource.type) else ()


def check(grant: Resource, parameters: Refused) -> Iterator[str]:
    rules = _google if grant.type.startswith("gcp:") else _amazon
    yield from rules(grant.props, parameters)
    for field in LISTS:
        if str(grant.props.get(field)) in PUBLIC:
            yield f"its {field} is {grant.props[field]}, which is everybody; name who needs it"


def _google(props: Mapping[str, Any], parameters: Refused) -> Iterator[str]:
    for binding in (props, *(_document(props.get("policyData")).get("bindings") or [])):
        members = [str(each) for each in (binding.get("members") or [binding.get("member")])]
        if anybody := sorted(PUBLIC.intersection(members)):
            yield f"it gives {binding.get('role')} to {', '.join(anybody)}, which is everybody; name who needs it"
        if binding.get("role") in parameters.google:
            yield f"it gives {binding['role']}, which is nearly everything; give the roles that are used"
    for pair in props.get("roleEntities") or []:
        if str(pair).rpartition(":")[2] in PUBLIC:
            yield f"it gives {pair}, which is everybody; name who needs it"


def _amazon(props: Mapping[str, Any], parameters: Refused) -> Iterator[str]:
    for arn in (each for field in ATTACHED for each in _listed(props.get(field))):
        if (name := str(arn).rpartition("/")[2]) in parameters.amazon:
            yield f"it attaches {name}, which is nearly everything; attach a policy with the rights that are used"
    if MASTERS in _listed(props.get("kubernetesGroups")):
        yield f"it makes somebody {MASTERS}, who may do everything in the cluster; use a group of its own"
    inline = [each.get("policy") for each in props.get("inlinePolicies") or []]
    for document in (*(props.get(field) for field in DOCUMENTS), *inline):
        for statement in _listed(_document(document).get("Statement")):
            if statement.get("Effect") == "Allow":
                yield from _allowed(statement)


def _allowed(statement: Mapping[str, Any]) -> Iterator[str]:
    actions = [str(each) for each in _listed(statement.get("Action"))]
    if any(fnmatchcase(what, each) for each in actions for what in ("anything:Anything", "iam:Anything")):
        yield "a statement of its policy allows every action; list those that are used"
    if "NotAction" in statement:
        yield "a statement of its policy allows all actions but some; list those that are used"
    principal = statement.get("Principal")
    named = principal.values() if isinstance(principal, Mapping) else [principal]
    anybody = "NotPrincipal" in statement or any("*" in _listed(each) for each in named)
    if anybody and not statement.get("Condition"):
        yield "a statement of its policy is for everybody; name who needs it"


def _document(policy: Any) -> Mapping[str, Any]:
    found = json.loads(policy) if isinstance(policy, str) and policy.lstrip().startswith("{") else policy
    return found if isinstance(found, Mapping) else {}


def _listed(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, str | Mapping) else list(value)


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
