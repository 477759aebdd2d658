"""Nobody of the stack is the cluster's administrator."""

from collections.abc import Iterator

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource


class Refused(Parameters):
    roles: frozenset[str] = frozenset({"cluster-admin", "admin"})
    """Cluster roles that must not be bound."""


def check(binding: Resource, parameters: Refused) -> Iterator[str]:
    role = binding.props["roleRef"]["name"]
    if role in parameters.roles:
        who = ", ".join(str(subject.get("name")) for subject in binding.props.get("subjects") or [])
        yield f"it makes {who or 'nobody'} {role}; bind a role with the rights that are used"


POLICY = ResourcePolicy(
    name="no-cluster-admin",
    asks="No account is bound to `cluster-admin` or `admin`.",
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
