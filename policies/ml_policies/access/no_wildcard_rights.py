"""Rights are listed, not starred."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource

FIELDS = ("verbs", "resources", "apiGroups", "nonResourceURLs")


def check(role: Resource, _: NoParameters) -> Iterator[str]:
    for number, rule in enumerate(role.props.get("rules") or [], 1):
        starred = [field for field in FIELDS if "*" in (rule.get(field) or [])]
        # All groups of a listed resource, such as */scale, is no more than that resource.
        if starred and starred != ["apiGroups"]:
            about = ", ".join(rule.get("resources") or rule.get("nonResourceURLs") or [])
            yield f"rule {number} has `*` in {', '.join(starred)} ({about}); list what is needed"


POLICY = ResourcePolicy(
    name="no-wildcard-rights",
    asks="No role has a `*` for verbs, resources or URLs.",
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
