"""The order in which the objects of a bundle are created; it is removed in the opposite order.

Webhook configurations come after the workloads that answer them: at no moment of an install or a removal is there one
that refuses everything because nobody serves it.
"""

from collections.abc import Iterable
from enum import IntEnum

from ml_platform.bundles.parse import Object


class Phase(IntEnum):
    NAMESPACES = 0
    DEFINITIONS = 1
    CONFIGURATION = 2
    WORKLOADS = 3
    WEBHOOKS = 4
    CUSTOM = 5


# What a namespace takes with it when it goes. Workloads and custom resources are not among them: their deletion is
# waited for, so that no controller outlives its CRDs.
PASSIVE = frozenset({"ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "Service", "NetworkPolicy"})

_WORKLOADS = frozenset({
    "APIService", "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler", "Job", "PersistentVolumeClaim",
    "Pod", "PodDisruptionBudget", "ReplicaSet", "Service", "StatefulSet",
})  # fmt: skip

_BUILT_IN_GROUPS = frozenset({
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling",
    "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
    "flowcontrol.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io", "policy", "rbac.authorization.k8s.io",
    "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
})  # fmt: skip


def phase_of(item: Object) -> Phase:
    kind = item["kind"]
    group = item["apiVersion"].rpartition("/")[0]
    if group not in _BUILT_IN_GROUPS:
        return Phase.CUSTOM
    if kind == "Namespace":
        return Phase.NAMESPACES
    if kind == "CustomResourceDefinition":
        return Phase.DEFINITIONS
    if kind.endswith("WebhookConfiguration") or kind.startswith("ValidatingAdmissionPolicy"):
        return Phase.WEBHOOKS
    return Phase.WORKLOADS if kind in _WORKLOADS else Phase.CONFIGURATION


def by_phase(objects: Iterable[Object]) -> dict[Phase, list[Object]]:
    """The objects of each phase, in their own order."""
    phases: dict[Phase, list[Object]] = {phase: [] for phase in Phase}
    for item in objects:
        phases[phase_of(item)].append(item)
    return phases
