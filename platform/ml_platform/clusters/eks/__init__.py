"""Amazon Elastic Kubernetes Service with its network, nodes and storage: nodes are private, pods need no keys."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_aws import eks

from ml_platform import labels, pods
from ml_platform.clusters import cloud
from ml_platform.clusters.cloud import CloudArgs
from ml_platform.clusters.cluster import Cluster, LoadBalancer, provider
from ml_platform.clusters.eks import offers, roles
from ml_platform.clusters.eks.autoscaler import AutoscalerArgs, ClusterAutoscaler
from ml_platform.clusters.eks.network import Network, NetworkArgs
from ml_platform.clusters.eks.nodes import STORAGE_CLASS, Nodes, NodesArgs
from ml_platform.clusters.eks.scaling import Scaling, ScalingArgs, require_image
from ml_platform.clusters.eks.storage import Storage
from ml_platform.clusters.eks.zones import Zones, ZonesArgs
from ml_platform.clusters.offers import Inquiry
from ml_platform.clusters.volumes import Volumes
from ml_platform.component import Component
from ml_platform.names import AUTOSCALER
from ml_platform.offered import Offered
from ml_platform.settings import EksCluster, OwnershipSettings

LOGIN = cloud.Credentials(
    cloud="AWS",
    variables=(
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_PROFILE",),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ),
    files=("~/.aws/credentials", "~/.aws/config"),
    vendor="Amazon",
    way_out="Log in with `aws configure sso` and `aws sso login`; in CI, have a role assumed by OpenID Connect.",
)
BALANCER = "service.beta.kubernetes.io/aws-load-balancer"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
TIMEOUTS = pulumi.CustomTimeouts(create="1h", update="2h", delete="1h")


def connect(settings: EksCluster, ownership: OwnershipSettings) -> Cluster:
    """The EKS cluster, which this stack makes.

    Raises:
        SettingsError: credentials or a command are missing, or AWS does not offer what the settings ask for.
    """
    cloud.require_access(settings)
    LOGIN.require()
    require_image(settings)
    cloud.require_command("aws", "Install the AWS CLI, version 2: https://docs.aws.amazon.com/cli/")
    made = Eks(settings.name, CloudArgs(settings=settings, ownership=ownership))
    return Cluster(
        kubeconfig=made.kubeconfig,
        options=made.options,
        images={},
        storage_class=STORAGE_CLASS,
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=_load_balancer(made.tags),
        registry=made.storage.registry,
        object_storage=made.storage.objects,
        offered=Offered.by(settings),
    )


def _load_balancer(tags: Mapping[str, str]) -> LoadBalancer:
    return LoadBalancer(
        kind="a network load balancer",
        annotations={
            f"{BALANCER}-type": "nlb",
            f"{BALANCER}-cross-zone-load-balancing-enabled": "true",
            f"{BALANCER}-additional-resource-tags": ",".join(f"{key}={value}" for key, value in tags.items()),
        },
    )


class Eks(Component):
    token = "ml-platform:eks:Cluster"  # noqa: S105 - a type token

    kubeconfig: pulumi.Output[str]
    """The kubeconfig, as an Output that resolves when the nodes are ready."""
    options: Mapping[str, Any]
    """The options of providers for the cluster's objects."""
    tags: Mapping[str, str]
    """The tags of all that the stack makes, and of what AWS makes for it: nodes, disks, volumes, the load balancer."""

    def __init__(self, name: str, args: CloudArgs[EksCluster]) -> None:
        super().__init__(name)
        self._name, self._settings, self._ownership = name, args.settings, args.ownership
        self.tags = {labels.STACK: pulumi.get_stack(), **args.ownership.tags}
        self._provider = aws.Provider(
            "aws",
            region=args.settings.region,
            default_tags={"tags": self.tags},
            opts=super().child(),
        )
        offers.check(args.settings, Inquiry(login=LOGIN, provider=self._provider))
        self.storage = Storage(name, args, self.child())
        network = Network(name, NetworkArgs(settings=args.settings), self.child())
        cluster = self._cluster(network)
        self._add_admins(cluster)
        scaling = self._scaling(cluster)
        made = NodesArgs(settings=args.settings, cluster=cluster, network=network, tags=self.tags)
        nodes = Nodes(name, made, self.child())
        region = args.settings.region
        text = cloud.kubeconfig(
            server=cluster.endpoint,
            authority=cluster.certificate_authority.apply(lambda authority: authority.data or ""),
            command=["aws", "eks", "get-token", "--cluster-name", cluster.name, "--region", region, "--output", "json"],
            api="client.authentication.k8s.io/v1beta1",
        )
        volumes = Volumes(name, kubeconfig=text, opts=super().child(depends_on=nodes.ready))
        identities = [
            *self._bucket_identities(cluster),
            *self._zones(cluster),
            *(scaling.ready if scaling else []),
        ]
        self.kubeconfig = pulumi.Output.secret(
            cloud.when(text, [volumes, *nodes.ready, *self.storage.ready, *identities])
        )
        self.options = {"cluster_identifier": cluster.arn, "kube_client_settings": {"qps": 100, "burst": 200}}
        if scaling:
            self._autoscaler(scaling)
        self.register_outputs({"identifier": cluster.arn})

    def child(self, **options: object) -> pulumi.ResourceOptions:
        return super().child(provider=self._provider, **options)

    def _cluster(self, network: Network) -> eks.Cluster:
        settings = self._settings
        protect = settings.data == "protect"
        role, attached = roles.role(
            f"{self._name}-cluster", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"], self.child()
        )
        return eks.Cluster(
            self._name,
            name=self._name,
            version=settings.version,
            role_arn=role.arn,
            vpc_config={
                "subnet_ids": [subnet.id for subnet in network.private],
                "endpoint_private_access": True,
                "endpoint_public_access": True,
                "public_access_cidrs": list(settings.api_access),
            },
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True},
            encryption_config={"provider": {"key_arn": self.storage.key.arn}, "resources": ["secrets"]},
            enabled_cluster_log_types=["audit", "authenticator"],
            upgrade_policy={"support_type": "STANDARD"},
            # nodes.py declares the same add-ons with their configuration.
            bootstrap_self_managed_addons=False,
            deletion_protection=protect,
            tags=self._ownership.tags,
            opts=self.child(protect=protect, custom_timeouts=TIMEOUTS, depends_on=attached),
        )

    def _add_admins(self, cluster: eks.Cluster) -> None:
        for principal in dict.fromkeys(self._settings.admins):
            # Two principals of different paths or kinds may end in the same word: a digest keeps their names apart.
            name = f"{self._name}-{principal.rpartition('/')[2]}-{pods.digest(principal)}"
            entry = eks.AccessEntry(name, cluster_name=cluster.name, principal_arn=principal, opts=self.child())
            eks.AccessPolicyAssociation(
                name,
                cluster_name=cluster.name,
                principal_arn=entry.principal_arn,
                policy_arn=ADMIN,
                access_scope={"type": "cluster"},
                opts=self.child(),
            )

    def _scaling(self, cluster: eks.Cluster) -> Scaling | None:
        if not any(pool.scales for pool in self._settings.pools.values()):
            return None
        return Scaling(self._name, ScalingArgs(cluster=cluster, region=self._settings.region), self.child())

    def _autoscaler(self, scaling: Scaling) -> None:
        args = AutoscalerArgs(
            image=self._settings.autoscaler or "", flags=scaling.flags, environment=scaling.environment
        )
        own = provider(self._name, self.kubeconfig, self.options, super().child())
        ClusterAutoscaler(AUTOSCALER, args, super().child(provider=own))

    def _zones(self, cluster: eks.Cluster) -> list[pulumi.Resource]:
        zones = self._settings.dns_zones
        return Zones(self._name, ZonesArgs(cluster=cluster, zones=zones), self.child()).ready if zones else []

    def _bucket_identities(self, cluster: eks.Cluster) -> list[pulumi.Resource]:
        """The roles of service accounts that use buckets. Pods get the role only when they are created, so all pods
        wait for these associations."""
        return [
            eks.PodIdentityAssociation(
                f"{self._name}-{namespace}.{account}",
                cluster_name=cluster.name,
                namespace=namespace,
                service_account=account,
                role_arn=role,
                opts=self.child(),
            )
            for (namespace, account), role in self.storage.users.items()
        ]
