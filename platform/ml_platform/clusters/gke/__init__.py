"""Google Kubernetes Engine with its network, nodes and storage: nodes are private, pods need no keys."""

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import container

from ml_platform import names
from ml_platform.clusters import cloud
from ml_platform.clusters.cloud import CloudArgs
from ml_platform.clusters.cluster import Cluster, LoadBalancer
from ml_platform.clusters.gke import offers
from ml_platform.clusters.gke.network import PODS, SERVICES, Network, NetworkArgs
from ml_platform.clusters.gke.nodes import Identity, Nodes, NodesArgs
from ml_platform.clusters.gke.storage import Storage, StorageArgs
from ml_platform.clusters.offers import Inquiry
from ml_platform.clusters.volumes import Volumes
from ml_platform.component import Component
from ml_platform.offered import Offered
from ml_platform.settings import GkeCluster, OwnershipSettings

LOGIN = cloud.Credentials(
    cloud="Google Cloud",
    # Application default credentials only: the kubeconfig's plugin can't use others, which the SDK could.
    variables=(("GOOGLE_APPLICATION_CREDENTIALS",),),
    files=(
        "$CLOUDSDK_CONFIG/application_default_credentials.json",
        "~/.config/gcloud/application_default_credentials.json",
    ),
    vendor="Google",
    way_out="Log in with `gcloud auth application-default login`; in CI, use workload identity federation.",
)
PLUGIN = "gke-gcloud-auth-plugin"
LOGIN_COMMAND = [PLUGIN, "--use_application_default_credentials"]
"""The kubeconfig's command. Without the flag, the plugin uses gcloud's own login, which is a separate one."""
TIMEOUTS = pulumi.CustomTimeouts(create="1h", update="2h", delete="1h")


def connect(settings: GkeCluster, ownership: OwnershipSettings) -> Cluster:
    """The GKE cluster, which this stack makes.

    Raises:
        SettingsError: credentials or a command are missing, or Google Cloud does not offer what the settings ask for.
    """
    cloud.require_access(settings)
    LOGIN.require()
    cloud.require_command(
        PLUGIN, f"Install it with: gcloud components install {PLUGIN}, or as the package google-cloud-cli-{PLUGIN}"
    )
    made = Gke(settings.name, CloudArgs(settings=settings, ownership=ownership))
    return Cluster(
        kubeconfig=made.kubeconfig,
        options={"cluster_identifier": made.identifier, "kube_client_settings": {"qps": 100, "burst": 200}},
        images={},
        storage_class=settings.storage_class,
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=LoadBalancer(kind="an external network load balancer", address=made.network.address),
        registry=made.storage.registry,
        object_storage=made.storage.objects,
        offered=Offered.by(settings),
    )


class Gke(Component):
    token = "ml-platform:gke:Cluster"  # noqa: S105 - a type token

    kubeconfig: pulumi.Output[str]
    """The kubeconfig, as an Output that resolves when the nodes are ready."""
    identifier: pulumi.Output[str]

    def __init__(self, name: str, args: CloudArgs[GkeCluster]) -> None:
        super().__init__(name)
        self._name, self._settings, self._ownership = name, args.settings, args.ownership
        labels = {"ml-platform-stack": names.label(pulumi.get_stack(), names.GOOGLE), **args.ownership.tags}
        self._provider = gcp.Provider(
            "gcp",
            project=args.settings.project,
            region=args.settings.region,
            default_labels=labels,
            opts=super().child(),
        )
        offers.check(args.settings, Inquiry(login=LOGIN, provider=self._provider))
        self.network = Network(name, NetworkArgs(settings=args.settings), self.child())
        identity = Identity(name, args.settings.project, self.child())
        cluster = self._cluster(identity, self.child(protect=args.settings.data == "protect", **_MANAGED))
        nodes = Nodes(name, NodesArgs(settings=args.settings, cluster=cluster, identity=identity), self.child())
        stored = StorageArgs(settings=args.settings, ownership=args.ownership, identity=identity)
        self.storage = Storage(name, stored, self.child())
        self.identifier = cluster.id
        text = cloud.kubeconfig(
            server=pulumi.Output.concat("https://", cluster.endpoint),
            authority=cluster.master_auth.cluster_ca_certificate,
            command=LOGIN_COMMAND,
            api="client.authentication.k8s.io/v1beta1",
        )
        volumes = Volumes(name, kubeconfig=text, opts=super().child(depends_on=nodes.ready))
        ready = [volumes, *nodes.ready, *self.network.ready, *self.storage.ready]
        self.kubeconfig = pulumi.Output.secret(cloud.when(text, ready))
        self.register_outputs({"identifier": self.identifier})

    def child(self, **options: object) -> pulumi.ResourceOptions:
        return super().child(provider=self._provider, **options)

    def _cluster(self, identity: Identity, opts: pulumi.ResourceOptions) -> container.Cluster:
        settings, network = self._settings, self.network
        return container.Cluster(
            self._name,
            name=self._name,
            location=settings.region,
            node_locations=list(settings.zones) or None,
            network=network.network.id,
            subnetwork=network.subnet.id,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={
                "cluster_secondary_range_name": PODS,
                "services_secondary_range_name": SERVICES,
            },
            private_cluster_config={
                "enable_private_nodes": True,
                "enable_private_endpoint": False,
                "master_ipv4_cidr_block": settings.network.control_plane,
            },
            master_authorized_networks_config={
                "cidr_blocks": [{"cidr_block": each, "display_name": each} for each in settings.api_access],
                "gcp_public_cidrs_access_enabled": False,
            },
            workload_identity_config={"workload_pool": f"{settings.project}.svc.id.goog"},
            datapath_provider="ADVANCED_DATAPATH",  # enforces NetworkPolicies
            min_master_version=settings.version,
            release_channel={"channel": settings.channel},
            maintenance_policy={"daily_maintenance_window": {"start_time": settings.maintenance}},
            # Node pools are resources of their own: GKE makes a default pool first, and removes it again.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={"service_account": identity.email},
            deletion_protection=settings.data == "protect",
            resource_labels=self._ownership.tags,
            opts=opts,
        )


_MANAGED = {"custom_timeouts": TIMEOUTS, "ignore_changes": ["initialNodeCount", "nodeConfig"]}
