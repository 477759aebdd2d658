"""The cluster autoscaler: it adds nodes for pods that fit on none, and removes nodes that are no longer needed.

This component owns the objects in the cluster. The autoscaler's flags and its rights in the cloud come from clusters/.
Clusters whose cloud scales node pools itself need no autoscaler.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.clusters.cluster import AUTOSCALER, Autoscaler
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.configuration import Resources
from ml_platform.objects import KubernetesObject
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

PORT = 8085
STATUS = "cluster-autoscaler-status"
"""The ConfigMap in which the autoscaler reports its state."""
RBAC = "rbac.authorization.k8s.io"
READ = ["get", "list", "watch"]

# The autoscaler simulates the scheduler, so it reads what the scheduler reads; it writes taints on nodes that it
# removes.
_CLUSTER_RULES: list[dict[str, Any]] = [
    {
        "apiGroups": [""],
        "resources": [
            "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers",
            "services",
        ],
        "verbs": READ,
    },
    {"apiGroups": ["apps"], "resources": ["daemonsets", "replicasets", "statefulsets"], "verbs": READ},
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": READ},
    {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": READ},
    {"apiGroups": ["resource.k8s.io"], "resources": ["deviceclasses", "resourceclaims", "resourceslices"],
     "verbs": READ},
    {
        "apiGroups": ["storage.k8s.io"],
        "resources": ["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"],
        "verbs": READ,
    },
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["update"]},
    {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
]  # fmt: skip
_NAMESPACE_RULES: list[dict[str, Any]] = [
    {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [STATUS], "verbs": ["get", "update", "delete"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [AUTOSCALER],
     "verbs": ["get", "update"]},
]  # fmt: skip


class ClusterAutoscaler(PlatformComponent):
    token = "ml-platform:cluster:Autoscaler"  # noqa: S105 - a type token

    def __init__(self, name: str, site: Site, chosen: Autoscaler) -> None:
        super().__init__(name, site)
        self._chosen, labels = chosen, site.labels
        namespace = Namespace(AUTOSCALER, NamespaceArgs(labels=labels, login=site.login), self.child())
        self._meta = pods.metadata(AUTOSCALER, AUTOSCALER, labels)
        passive = self.passive(namespace.resource)
        account = KubernetesObject(AUTOSCALER, namespace.account(AUTOSCALER, labels), passive)
        KubernetesObject(AUTOSCALER, pods.closed(self._meta), passive)
        cluster_wide = {"name": AUTOSCALER, "labels": labels}
        rights = [
            *self._rights("Role", self._meta, _NAMESPACE_RULES, passive),
            *self._rights("ClusterRole", cluster_wide, _CLUSTER_RULES, self.child()),
        ]
        KubernetesObject(AUTOSCALER, self._deployment(), self.child(depends_on=[account, *rights]))
        self.register_outputs({})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        """False: the cluster chooses the autoscaler (Cluster.autoscaler), and its needs are the cluster's."""
        return False

    def _rights(
        self, kind: str, meta: Mapping[str, Any], rules: list[dict[str, Any]], opts: pulumi.ResourceOptions
    ) -> list[pulumi.Resource]:
        role = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": meta, "rules": rules}
        binding = {
            "apiVersion": f"{RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": meta,
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": AUTOSCALER},
            "subjects": [{"kind": "ServiceAccount", "name": AUTOSCALER, "namespace": AUTOSCALER}],
        }
        return [KubernetesObject(AUTOSCALER, manifest, opts) for manifest in (role, binding)]

    def _deployment(self) -> dict[str, Any]:
        chosen = self._chosen
        run = pods.container(
            AUTOSCALER,
            self.site.images[AUTOSCALER],
            Resources(cpu="100m", memory="300Mi", cpu_limit="1", memory_limit="600Mi"),
            env=chosen.environment,
            command=["/cluster-autoscaler"],
            args=[
                *chosen.flags,
                f"--namespace={AUTOSCALER}",
                # Our pods have emptyDir volumes; by default, nodes with such pods are never removed.
                "--skip-nodes-with-local-storage=false",
            ],
            livenessProbe=pods.probe(PORT, "/health-check", initialDelaySeconds=600, periodSeconds=60),
        )
        # The pod has a token for the Kubernetes API, and a high priority: while it is pending, no node is ever added.
        spec = pods.pod(
            AUTOSCALER, [run], automountServiceAccountToken=True, priorityClassName="system-cluster-critical"
        )
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self._meta,
            "spec": {
                "replicas": 1,
                "revisionHistoryLimit": 2,
                "selector": {"matchLabels": {"app": AUTOSCALER}},
                "template": {"metadata": {"labels": {"app": AUTOSCALER}}, "spec": spec},
            },
        }
