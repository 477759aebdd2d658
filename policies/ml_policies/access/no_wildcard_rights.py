"""Rights are listed, not starred."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource

FIELDS = ("verbs", "resources", "apiGroups", "nonResourceURLs")
RAISING = frozenset({"escalate", "bind", "impersonate"})
"""Verbs by which an account gets rights that it has not."""


def check(role: Resource, _: NoParameters) -> Iterator[str]:
    for number, rule in enumerate(role.props.get("rules") or [], 1):
        starred = [field for field in FIELDS if "*" in (rule.get(field) or [])]
        # All groups of a listed resource, such as */scale, is no more than that resource.
        if starred and starred != ["apiGroups"]:
            about = ", ".join(rule.get("resources") or rule.get("nonResourceURLs") or [])
            yield f"rule {number} has `*` in {', '.join(starred)} ({about}); list what is needed"
        raising = sorted(RAISING.intersection(rule.get("verbs") or []))
        if raising and not rule.get("resourceNames"):
            yield f"rule {number} has {', '.join(raising)}, so its holder may take any right; name the resources"
    for selector in (role.props.get("aggregationRule") or {}).get("clusterRoleSelectors") or []:
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield "its aggregationRule takes in every ClusterRole that there is; select by labels"


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
