"""The phases in which the objects of a bundle are created; they are deleted in the opposite order.

Objects that intercept requests (webhooks, admission policies, API services) are created after the workloads that answer
them, and deleted before these: a webhook without a server would refuse every request. Policies that guard CRDs are so
created after the CRDs and before the objects of these.
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


# Kinds that are deleted with their namespace. Workloads and custom resources are deleted one by one, and waited for, so
# that no controller outlives its CRDs.
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
    """Phase -> its objects, in their given order. `own_definitions` are the CRDs, <plural>.<group>, that the bundle's
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
        # A kind of another bundle: its controller runs already, and workloads may wait for what the controller makes,
        # such as the Secret of a Certificate.
        return Phase.CUSTOM if group(item) in own_groups else Phase.CONFIGURATION
    if kind == "Namespace":
        return Phase.NAMESPACES
    if kind == "CustomResourceDefinition":
        return Phase.DEFINITIONS
    if kind in _WEBHOOKS:
        return Phase.WEBHOOKS
    return Phase.WORKLOADS if kind in _WORKLOADS else Phase.CONFIGURATION
