"""What the next Kubernetes no longer has is not declared any more."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource

REMOVED = {
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"): (22, "admissionregistration.k8s.io/v1"),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"): (22, "admissionregistration.k8s.io/v1"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): (22, "apiextensions.k8s.io/v1"),
    ("extensions/v1beta1", "Ingress"): (22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress"): (22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IngressClass"): (22, "networking.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"): (22, "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"): (22, "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "Role"): (22, "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding"): (22, "rbac.authorization.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIDriver"): (22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "StorageClass"): (22, "storage.k8s.io/v1"),
    ("batch/v1beta1", "CronJob"): (25, "batch/v1"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): (25, "autoscaling/v2"),
    ("policy/v1beta1", "PodDisruptionBudget"): (25, "policy/v1"),
    ("policy/v1beta1", "PodSecurityPolicy"): (25, "labels of the namespace (Pod Security)"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): (26, "autoscaling/v2"),
    ("flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema"): (29, "flowcontrol.apiserver.k8s.io/v1"),
    ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"): (32, "flowcontrol.apiserver.k8s.io/v1"),
}
"""In which minor version of Kubernetes 1, and what comes after it."""


class Target(Parameters):
    kubernetes: str = "1.36"
    """The version that the stack must work on: the newest that it may meet."""


def check(resource: Resource, parameters: Target) -> Iterator[str]:
    version = str(resource.props.get("apiVersion", ""))
    minor, successor = REMOVED.get((version, resource.kind), (None, ""))
    if minor is not None and minor <= int(parameters.kubernetes.partition(".")[2]):
        yield f"Kubernetes 1.{minor} and later do not have {version}; declare it by {successor}"


POLICY = ResourcePolicy(
    name="deprecated-apis",
    asks="No object is of an API that the target version of Kubernetes no longer has.",
    why="The next upgrade of the cluster would leave the stack neither to be changed nor to be removed.",
    parameters=Target,
    of=lambda resource: (resource,) if resource.kubernetes else (),
    check=check,
    example="""
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: web, namespace: models}
spec: {minAvailable: 1}
""",
)
