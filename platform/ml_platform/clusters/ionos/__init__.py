"""Managed Kubernetes on IONOS CLOUD with its network, nodes and storage."""

import pulumi
import pulumi_ionoscloud as ionos
from pulumi_ionoscloud import k8s

from ml_platform.clusters import cloud
from ml_platform.clusters.cloud import CloudArgs
from ml_platform.clusters.cluster import Cluster, LoadBalancer
from ml_platform.clusters.ionos import offers
from ml_platform.clusters.ionos.network import Network, NetworkArgs
from ml_platform.clusters.ionos.nodes import Nodes, NodesArgs
from ml_platform.clusters.ionos.storage import Storage
from ml_platform.clusters.offers import Inquiry
from ml_platform.clusters.volumes import Volumes
from ml_platform.component import Component
from ml_platform.offered import Offered
from ml_platform.settings import IonosCluster, OwnershipSettings

TOKEN = cloud.Credentials(
    cloud="IONOS CLOUD",
    variables=(("IONOS_TOKEN",), ("IONOS_USERNAME", "IONOS_PASSWORD")),
    way_out="Make a token in the DCD under Management > Token Manager, then: export IONOS_TOKEN=<token>",
)
KEYS = cloud.Credentials(
    cloud="IONOS Object Storage",
    variables=(("IONOS_S3_ACCESS_KEY", "IONOS_S3_SECRET_KEY"),),
    way_out="Make a key in the DCD under Storage > Object Storage > Key Management, or leave out the buckets.",
)
TIMEOUTS = pulumi.CustomTimeouts(create="2h", update="2h", delete="1h")


def connect(settings: IonosCluster, ownership: OwnershipSettings) -> Cluster:
    """The IONOS cluster, which this stack makes.

    Raises:
        SettingsError: credentials are missing, or the contract does not allow what the settings ask for.
    """
    cloud.require_access(settings)
    TOKEN.require()
    if settings.buckets:
        KEYS.require()
    made = Ionos(settings.name, CloudArgs(settings=settings, ownership=ownership))
    return Cluster(
        kubeconfig=made.kubeconfig,
        options={"cluster_identifier": made.identifier, "kube_client_settings": {"qps": 100, "burst": 200}},
        images={},
        storage_class=settings.storage_class,
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=LoadBalancer(kind="a public address on one of the nodes", address=made.network.address),
        registry=made.storage.registry,
        registry_login=made.storage.login,
        object_storage=made.storage.objects,
        offered=Offered.by(settings),
    )


class Ionos(Component):
    token = "ml-platform:ionos:Cluster"  # noqa: S105 - a type token

    kubeconfig: pulumi.Output[str]
    """The kubeconfig, as an Output that resolves when the nodes are ready."""
    identifier: pulumi.Output[str]

    def __init__(self, name: str, args: CloudArgs[IonosCluster]) -> None:
        super().__init__(name)
        settings = args.settings
        provider = ionos.Provider("ionos", s3_region=settings.object_storage.region, opts=self.child())
        offers.check(settings, Inquiry(login=TOKEN, provider=provider))
        below = self.child(provider=provider)
        self.network = Network(name, NetworkArgs(settings=settings), below)
        cluster = k8s.Cluster(
            name,
            name=name,
            k8s_version=settings.version,
            public=True,
            api_subnet_allow_lists=list(settings.api_access),
            maintenance_window={
                "day_of_the_week": settings.maintenance.day,
                "time": f"{settings.maintenance.time}:00Z",
            },
            allow_replace=settings.data == "delete",
            opts=self.child(provider=provider, protect=settings.data == "protect", custom_timeouts=TIMEOUTS),
        )
        nodes = Nodes(name, NodesArgs(settings=settings, cluster=cluster, datacenter=self.network.datacenter), below)
        self.storage = Storage(name, args, below)
        self.identifier = cluster.id
        found = k8s.get_cluster_output(id=cluster.id, opts=pulumi.InvokeOutputOptions(parent=self, provider=provider))
        volumes = Volumes(name, kubeconfig=found.kube_config, opts=self.child(depends_on=nodes.ready))
        ready = [volumes, *nodes.ready, *self.storage.ready]
        self.kubeconfig = pulumi.Output.secret(cloud.when(found.kube_config, ready))
        self.register_outputs({"identifier": self.identifier})
