"""Nobody of the stack is the cluster's administrator."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource


class Refused(Parameters):
    roles: frozenset[str] = frozenset({"cluster-admin", "admin"})
    """Cluster roles that must not be bound."""


ANYBODY = frozenset({"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"})
MASTERS = frozenset({"system:masters", "system:cluster-admins"})
"""Groups that may do everything, whatever is bound."""


def check(binding: Resource, parameters: Refused) -> Iterator[str]:
    reference = binding.props.get("roleRef") or {}
    role, subjects = reference.get("name"), [str(each.get("name")) for each in binding.props.get("subjects") or []]
    if anybody := sorted(ANYBODY.intersection(subjects)):
        yield f"it gives {role} to {', '.join(anybody)}, which is everybody; bind it to those who need it"
    if masters := sorted(MASTERS.intersection(subjects)):
        yield f"it is for {', '.join(masters)}, who may do everything anyway; bind it to those who need it"
    if role in parameters.roles and reference.get("kind", "ClusterRole") == "ClusterRole":
        who = ", ".join(subjects)
        yield f"it makes {who or 'nobody'} {role}; bind a role with the rights that are used"


POLICY = ResourcePolicy(
    name="no-cluster-admin",
    asks="No account is bound to `cluster-admin` or `admin`, and nothing to everybody.",
    why="A workload that is broken into would then be the whole cluster, secrets included.",
    parameters=Refused,
    of=Kinds("RoleBinding", "ClusterRoleBinding"),
    check=check,
    example="""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: jobs}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: jobs, namespace: models}]
""",
)
