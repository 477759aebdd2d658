"""The cluster autoscaler: it adds nodes for pods that fit on none, and removes nodes that are no longer needed.

It owns the autoscaler's objects in the cluster; its rights in AWS and its flags are in scaling.py. The stack that makes
the cluster installs it with the nodes, since its version is theirs. The other clouds scale node pools themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import network, pods
from ml_platform.component import Component
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.configuration import Resources
from ml_platform.labels import of_stack
from ml_platform.names import AUTOSCALER
from ml_platform.objects import KubernetesObject

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


@dataclass(frozen=True, kw_only=True)
class AutoscalerArgs:
    image: str
    flags: Sequence[pulumi.Input[str]]
    """The flags that name the cloud, and the node groups to scale."""
    environment: Mapping[str, str]


class ClusterAutoscaler(Component):
    token = "ml-platform:cluster:Autoscaler"  # noqa: S105 - a type token

    def __init__(self, name: str, args: AutoscalerArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._args, labels = args, of_stack()
        namespace = Namespace(AUTOSCALER, NamespaceArgs(labels=labels), self.child())
        self._meta = pods.metadata(AUTOSCALER, AUTOSCALER, labels)
        passive = self.child(deleted_with=namespace.resource)
        account = KubernetesObject(AUTOSCALER, namespace.account(AUTOSCALER, labels), passive)
        KubernetesObject(AUTOSCALER, network.closed(self._meta), passive)
        cluster_wide = {"name": AUTOSCALER, "labels": labels}
        rights = [
            *self._rights("Role", self._meta, _NAMESPACE_RULES, passive),
            *self._rights("ClusterRole", cluster_wide, _CLUSTER_RULES, self.child()),
        ]
        KubernetesObject(AUTOSCALER, self._deployment(), self.child(depends_on=[account, *rights]))
        self.register_outputs({})

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
        run = pods.container(
            AUTOSCALER,
            self._args.image,
            Resources(cpu="100m", memory="300Mi", cpu_limit="1", memory_limit="600Mi"),
            env=self._args.environment,
            command=["/cluster-autoscaler"],
            args=[
                *self._args.flags,
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
