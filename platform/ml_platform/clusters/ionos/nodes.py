"""The nodes of the cluster: one node pool for each pool of the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_ionoscloud import k8s

from ml_platform import placement
from ml_platform.component import Component
from ml_platform.settings import IonosCluster
from ml_platform.settings.ionos import IonosPoolSettings

# IONOS makes the nodes of a pool one after the other, and each takes some minutes.
TIMEOUTS = pulumi.CustomTimeouts(create="3h", update="3h", delete="1h")


@dataclass(frozen=True, kw_only=True)
class NodesArgs:
    settings: IonosCluster
    cluster: k8s.Cluster
    datacenter: pulumi.Input[str]


class Nodes(Component):
    token = "ml-platform:ionos:Nodes"  # noqa: S105 - a type token

    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: NodesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._args = args
        self.ready = [self._pool(f"{name}-{pool}", pool, each) for pool, each in args.settings.pools.items()]
        self.register_outputs({"pools": [pool.id for pool in self.ready if isinstance(pool, k8s.NodePool)]})

    def _pool(self, name: str, pool: str, settings: IonosPoolSettings) -> k8s.NodePool:
        whole = self._args.settings
        return k8s.NodePool(
            name,
            name=name,
            k8s_cluster_id=self._args.cluster.id,
            datacenter_id=self._args.datacenter,
            k8s_version=whole.version,
            node_count=settings.minimum,
            auto_scaling=_scaling(settings) if settings.scales else None,
            cores_count=settings.cores,
            ram_size=settings.memory * 1024,
            storage_size=settings.disk,
            storage_type=settings.storage_type,
            availability_zone=settings.zone,
            server_type=settings.server_type,
            cpu_family=settings.cpu_family,
            labels=placement.labels(pool, settings),
            maintenance_window={
                "day_of_the_week": whole.node_maintenance.day,
                "time": f"{whole.node_maintenance.time}:00Z",
            },
            allow_replace=whole.data == "delete",
            opts=self.child(custom_timeouts=TIMEOUTS, ignore_changes=["nodeCount"] if settings.scales else []),
        )


def _scaling(settings: IonosPoolSettings) -> k8s.NodePoolAutoScalingArgs:
    return k8s.NodePoolAutoScalingArgs(min_node_count=settings.minimum, max_node_count=settings.maximum)
