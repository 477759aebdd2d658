"""What the next Kubernetes no longer has is not declared any more."""

from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource

_REMOVED = (
    (16, "apps/v1beta1", "Deployment ReplicaSet StatefulSet", "apps/v1"),
    (16, "apps/v1beta2", "DaemonSet Deployment ReplicaSet StatefulSet", "apps/v1"),
    (16, "extensions/v1beta1", "DaemonSet Deployment ReplicaSet", "apps/v1"),
    (16, "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
    (16, "extensions/v1beta1", "PodSecurityPolicy", "labels of the namespace (Pod Security)"),
    (22, "admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
     "admissionregistration.k8s.io/v1"),
    (22, "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    (22, "apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1"),
    (22, "certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    (22, "coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1"),
    (22, "extensions/v1beta1", "Ingress", "networking.k8s.io/v1"),
    (22, "networking.k8s.io/v1beta1", "Ingress IngressClass", "networking.k8s.io/v1"),
    (22, "rbac.authorization.k8s.io/v1beta1", "ClusterRole ClusterRoleBinding Role RoleBinding",
     "rbac.authorization.k8s.io/v1"),
    (22, "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1"),
    (22, "storage.k8s.io/v1beta1", "CSIDriver CSINode StorageClass VolumeAttachment", "storage.k8s.io/v1"),
    (25, "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2"),
    (25, "batch/v1beta1", "CronJob", "batch/v1"),
    (25, "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1"),
    (25, "events.k8s.io/v1beta1", "Event", "events.k8s.io/v1"),
    (25, "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1"),
    (25, "policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
    (25, "policy/v1beta1", "PodSecurityPolicy", "labels of the namespace (Pod Security)"),
    (26, "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
    (26, "flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema PriorityLevelConfiguration",
     "flowcontrol.apiserver.k8s.io/v1"),
    (27, "storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1"),
    (29, "flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema PriorityLevelConfiguration",
     "flowcontrol.apiserver.k8s.io/v1"),
    (32, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema PriorityLevelConfiguration",
     "flowcontrol.apiserver.k8s.io/v1"),
)  # fmt: skip
"""The minor version of Kubernetes 1 that no longer has it, an API, kinds of it, and what comes after it."""
REMOVED = {(api, kind): (minor, after) for minor, api, kinds, after in _REMOVED for kind in kinds.split()}


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
