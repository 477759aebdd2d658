"""Rights are listed, not starred."""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_policies.engine.policy import Kinds, NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource

FIELDS = ("verbs", "resources", "apiGroups", "nonResourceURLs")
RAISING = frozenset({"escalate", "bind", "impersonate"})
"""Verbs by which an account gets rights that it has not."""
POWERFUL = frozenset({"cluster-admin", "admin", "edit", "system:masters", "system:admin"})
"""Roles, groups and people as whom one may do everything, even where they are named."""
READ, MADE = frozenset({"get", "list", "watch"}), frozenset({"create", "patch", "update"})
OPEN: Mapping[str, tuple[frozenset[str], str]] = {
    "secrets": (READ, "reads the Secrets of every namespace"),
    "pods/exec": (READ | MADE, "is in every container of the cluster"),
    "pods/attach": (READ | MADE, "is in every container of the cluster"),
    "pods/ephemeralcontainers": (MADE, "is in every pod of the cluster"),
    "nodes/proxy": (READ | MADE, "is in every container of the cluster"),
    "serviceaccounts/token": (MADE, "is every account of the cluster"),
    "certificatesigningrequests/approval": (MADE, "is everybody whom the cluster knows"),
}
"""What a right is worth in the whole cluster, where it names no object."""


def check(role: Resource, _: NoParameters) -> Iterator[str]:
    for number, rule in enumerate(role.props.get("rules") or [], 1):
        starred = [field for field in FIELDS if "*" in (rule.get(field) or [])]
        # All groups of a listed resource, such as */scale, is no more than that resource.
        if starred and starred != ["apiGroups"]:
            about = ", ".join(rule.get("resources") or rule.get("nonResourceURLs") or [])
            yield f"rule {number} has `*` in {', '.join(starred)} ({about}); list what is needed"
        raising = sorted(RAISING.intersection(rule.get("verbs") or []))
        if raising and not _narrow(rule):
            yield f"rule {number} has {', '.join(raising)}, so its holder may take any right; name the resources"
        if role.kind == "ClusterRole" and not role.bundle:  # controllers of releases read what they are for
            yield from (f"rule {number}: its holder {what}; use a Role, or resourceNames" for what in _worth(rule))
    for selector in (role.props.get("aggregationRule") or {}).get("clusterRoleSelectors") or []:
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield "its aggregationRule takes in every ClusterRole that there is; select by labels"


def _narrow(rule: Mapping[str, Any]) -> bool:
    names = rule.get("resourceNames") or []
    return bool(names) and POWERFUL.isdisjoint(names)


def _worth(rule: Mapping[str, Any]) -> Iterator[str]:
    named, verbs = rule.get("resourceNames"), set(rule.get("verbs") or [])
    for resource in rule.get("resources") or () if not named else ():
        fitting, what = OPEN.get(str(resource), (frozenset(), ""))
        if verbs & fitting:
            yield what


POLICY = ResourcePolicy(
    name="no-wildcard-rights",
    asks="No role has a `*` for verbs, resources or URLs, nor a verb by which it gets what it has not.",
    why="A star also means what does not exist yet: the next CRD, with its secrets, is included.",
    of=Kinds("Role", "ClusterRole"),
    check=check,
    example="""
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: models}
rules: [{apiGroups: [""], resources: ["*"], verbs: [get]}]
""",
)
