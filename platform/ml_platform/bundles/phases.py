"""The order in which the objects of a bundle are created; it is removed in the opposite order.

What intercepts requests (webhooks, admission policies, API services) comes after the workloads that answer it: at no
moment of an install or a removal is there one that refuses everything because nobody serves it. Policies that guard
CRDs stand between the CRDs and their objects by the same order.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum

from ml_platform.bundles.kinds import built_in, group
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
    "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler", "Job", "PersistentVolumeClaim", "Pod",
    "PodDisruptionBudget", "ReplicaSet", "ReplicationController", "Service", "StatefulSet",
})  # fmt: skip

_WEBHOOKS = frozenset({
    "APIService", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
})  # fmt: skip


def by_phase(objects: Sequence[Object], own_definitions: Iterable[str] = ()) -> dict[Phase, list[Object]]:
    """The objects of each phase, in their own order. `own_definitions` are CRDs, <plural>.<group>, that the bundle's
    operator applies itself."""
    definitions = [item["metadata"]["name"] for item in objects if item["kind"] == "CustomResourceDefinition"]
    own_groups = {name.partition(".")[2] for name in (*definitions, *own_definitions)}
    phases: dict[Phase, list[Object]] = {phase: [] for phase in Phase}
    for item in objects:
        phases[_phase(item, own_groups)].append(item)
    return phases


def _phase(item: Object, own_groups: set[str]) -> Phase:
    kind = item["kind"]
    if not built_in(item):
        # A kind of another bundle: its controller runs already, and workloads may wait for what it makes of it, such
        # as the Secret of a Certificate.
        return Phase.CUSTOM if group(item) in own_groups else Phase.CONFIGURATION
    if kind == "Namespace":
        return Phase.NAMESPACES
    if kind == "CustomResourceDefinition":
        return Phase.DEFINITIONS
    if kind in _WEBHOOKS:
        return Phase.WEBHOOKS
    return Phase.WORKLOADS if kind in _WORKLOADS else Phase.CONFIGURATION
