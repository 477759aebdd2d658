"""The nodes of the cluster, one node pool for each pool of the settings, and their Google service account."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import container, projects, serviceaccount

from ml_platform import placement
from ml_platform.component import Component
from ml_platform.settings import GkeCluster
from ml_platform.settings.gke import GkePoolSettings

TIMEOUTS = pulumi.CustomTimeouts(create="1h", update="3h", delete="1h")
ZONES = 3  # the number that Google chooses where the settings name none


class Identity(Component):
    """The Google service account of the nodes. It has the rights that Google recommends for nodes; the default account
    is an editor of the whole project."""

    token = "ml-platform:gke:Identity"  # noqa: S105 - a type token

    email: pulumi.Output[str]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, project: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        account = serviceaccount.Account(
            f"{name}-nodes", account_id=f"{name}-nodes", display_name=f"Nodes of {name}", opts=self.child()
        )
        self.email = account.email
        self.ready = [
            projects.IAMMember(
                f"{name}-nodes",
                project=project,
                role="roles/container.defaultNodeServiceAccount",
                member=account.member,
                opts=self.child(),
            )
        ]
        self.register_outputs({"email": self.email})


@dataclass(frozen=True, kw_only=True)
class NodesArgs:
    settings: GkeCluster
    cluster: container.Cluster
    identity: Identity


class Nodes(Component):
    token = "ml-platform:gke:Nodes"  # noqa: S105 - a type token

    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: NodesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self.ready = [self._pool(pool, each) for pool, each in args.settings.pools.items()]
        self.register_outputs({"pools": list(args.settings.pools)})

    def _pool(self, pool: str, settings: GkePoolSettings) -> container.NodePool:
        whole = self._args.settings
        zones = len(whole.zones) or ZONES
        return container.NodePool(
            f"{self._name}-{pool}",
            name=pool,
            cluster=self._args.cluster.id,
            initial_node_count=-(-settings.minimum // zones),
            autoscaling={
                "total_min_node_count": settings.minimum,
                "total_max_node_count": settings.maximum,
                "location_policy": "BALANCED" if settings.purpose == "general" else "ANY",
            },
            management={"auto_repair": True, "auto_upgrade": True},
            node_config=self._node(pool, settings),
            # The autoscaler sets the node count, and a new initial count would replace the pool.
            opts=self.child(
                custom_timeouts=TIMEOUTS,
                ignore_changes=["initialNodeCount", "nodeCount"],
                depends_on=list(self._args.identity.ready),
            ),
        )

    def _node(self, pool: str, settings: GkePoolSettings) -> container.NodePoolNodeConfigArgs:
        return container.NodePoolNodeConfigArgs(
            machine_type=settings.machine,
            disk_size_gb=settings.disk,
            disk_type="pd-balanced",
            spot=settings.purpose == "spot",
            taints=_taints(settings),
            guest_accelerators=_accelerators(settings),
            labels=placement.labels(pool, settings),
            tags=[self._name],
            service_account=self._args.identity.email,
            oauth_scopes=["https://www.googleapis.com/auth/cloud-platform"],
            workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(mode="GKE_METADATA"),
            shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                enable_secure_boot=True, enable_integrity_monitoring=True
            ),
            metadata={"disable-legacy-endpoints": "true"},
        )


def _taints(settings: GkePoolSettings) -> list[container.NodePoolNodeConfigTaintArgs] | None:
    """The taint of the pool's purpose. Nodes with GPUs declare theirs too, since GKE adds it by itself only where the
    cluster has other nodes."""
    taint = placement.TAINTS[settings.purpose]
    effect = "NO_SCHEDULE"
    return [container.NodePoolNodeConfigTaintArgs(key=taint[0], value=taint[1], effect=effect)] if taint else None


def _accelerators(
    settings: GkePoolSettings,
) -> list[container.NodePoolNodeConfigGuestAcceleratorArgs] | None:
    if settings.gpu is None:
        return None
    driver = container.NodePoolNodeConfigGuestAcceleratorGpuDriverInstallationConfigArgs(gpu_driver_version="DEFAULT")
    gpu = container.NodePoolNodeConfigGuestAcceleratorArgs(
        type=settings.gpu.type, count=settings.gpu.count, gpu_driver_installation_config=driver
    )
    return [gpu]
