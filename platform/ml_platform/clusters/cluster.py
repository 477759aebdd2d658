"""A Kubernetes cluster as the platform needs it, the same for every source."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from ml_platform.object_storage import ObjectStorage
from ml_platform.offered import Offered
from ml_platform.settings.clouds import BucketAccess


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """The load balancer that the cluster gives a Service of type LoadBalancer."""

    kind: str
    annotations: Mapping[str, str] | pulumi.Output[Mapping[str, str]] = field(default_factory=dict)
    """The annotations of the gateway's Service by which the cluster makes this load balancer."""
    address: pulumi.Output[str | None] | None = None
    """The address that the stack has reserved for the load balancer; None where the cloud assigns one."""
    assumed: bool = False
    """Whether the cluster has a load balancer for certain, so that the preflight looks for no sign of one."""

    def as_output(self) -> dict[str, Any]:
        """What another stack needs to ask for the same load balancer, as a stack exports it."""
        address = {"address": self.address} if self.address is not None else {}
        return {"kind": self.kind, "annotations": self.annotations, **address}

    def annotated(self, own: Mapping[str, str]) -> Mapping[str, str] | pulumi.Output[Mapping[str, str]]:
        """The annotations of the gateway's Service together with `own`; an Output where its own are one."""
        if isinstance(self.annotations, pulumi.Output):
            return self.annotations.apply(lambda found: {**own, **found})
        return {**own, **self.annotations}

    def spec(self, networks: Sequence[str] = ()) -> dict[str, Any]:
        """The fields of a Service's spec that ask for this load balancer. Only `networks` may connect; without any,
        everybody may."""
        asked = {"loadBalancerIP": self.address} if self.address is not None else {}
        return {"type": "LoadBalancer", **asked, **(_closed_to_others(networks) if networks else {})}


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The cluster as the stack that made it describes it."""

    stack: str
    """<organization>/<project>/<stack> of that stack."""
    found: pulumi.Output[Mapping[str, Any]]
    """Its output `cluster`; empty where that stack did not make its cluster either."""
    bucket_access: BucketAccess
    """How this stack's settings say that the buckets there know pods."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The way to reach a cluster, and what the cluster brings along."""

    kubeconfig: pulumi.Output[str]
    """The complete text of a kubeconfig, as a secret; dynamic resources take it, since they can't use a provider."""
    options: Mapping[str, Any]
    """The options of the provider for the cluster's objects."""
    images: Mapping[str, str]
    """References of the images that the cluster brings along, by our short names."""
    storage_class: pulumi.Input[str | None]
    """The storage class of the platform's volumes; None is the cluster's default."""
    volume_size: str | None = None
    """The size that all volumes ask for, where sizes limit nothing; None is the size in the settings."""
    disposable: bool
    """Whether removing the stack removes everything, CRDs and volumes included."""
    protected: bool
    """Whether Pulumi refuses to remove or replace resources that hold data."""
    seed: pulumi.Output[str] | None = None
    """The secret that passwords are derived from; None is the stack's secret ml-platform:seed."""
    pulls: bool = True
    """Whether the cluster can pull images from the network; otherwise it has those of `images` only."""
    load_balancer: LoadBalancer = LoadBalancer(kind="the cluster's own")
    registry: pulumi.Output[str] | None = None
    """The registry that the stack made: images are pushed to <registry>/<name>."""
    registry_login: Callable[[], pulumi.Output[str]] | None = None
    """The login to that registry, as the text of a Docker configuration; None where nodes pull with their own rights.
    It is a function, since only a platform that asks for the login needs it."""
    object_storage: ObjectStorage | None = None
    offered: Offered | None = None
    """What the cluster has for a platform, where the stack made it."""
    elsewhere: Elsewhere | None = None
    """What another stack of this program says of the cluster, where it made it."""

    @property
    def version(self) -> str | None:
        """The version of Kubernetes in the settings; None where the settings name none."""
        return self.offered.version if self.offered else None

    def size_of(self, volume: str) -> str:
        """The size that a volume asks for whose size in the settings is `volume`."""
        return self.volume_size or volume

    def exports(self) -> dict[str, Any]:
        """The stack outputs about the cluster, for people and for other stacks."""
        if not self.offered:
            return {"kubeconfig": self.kubeconfig}
        storage = self.object_storage
        return {
            "cluster": {
                **self.offered.as_output(),
                "storage_class": self.storage_class,
                "load_balancer": self.load_balancer.as_output(),
                **({"object_storage": storage.as_output()} if storage else {}),
            },
            "kubeconfig": self.kubeconfig,
            **({"registry": self.registry} if self.registry else {}),
            **({"registry_login": self.registry_login()} if self.registry_login else {}),
            **(storage.secrets() if storage else {}),
        }

    def provider(self, after: Sequence[pulumi.Resource]) -> pulumi.ProviderResource:
        """The provider for the cluster's objects; it waits for the resources `after`, and so do all its objects."""
        return provider("cluster", self.kubeconfig, self.options, pulumi.ResourceOptions(depends_on=after))


def _closed_to_others(networks: Sequence[str]) -> dict[str, Any]:
    """The fields that let in `networks` alone, which are IPv4: source ranges of one family say nothing about the
    other, so a Service with an IPv6 address would be open to everybody by that."""
    return {
        "loadBalancerSourceRanges": list(networks),
        "ipFamilyPolicy": "SingleStack",
        "ipFamilies": ["IPv4"],
    }


def provider(
    name: str, kubeconfig: pulumi.Output[str], options: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> pulumi.ProviderResource:
    """A provider for objects on the cluster of `kubeconfig`."""
    return kubernetes.Provider(
        name,
        kubeconfig=kubeconfig,
        enable_server_side_apply=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        **options,
        opts=opts,
    )
