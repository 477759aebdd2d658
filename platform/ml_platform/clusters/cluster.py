"""A Kubernetes cluster as the platform needs it, the same for every source."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

from ml_platform.needs import Needs
from ml_platform.object_storage import ObjectStorage


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """Nodes of one kind, with a purpose."""

    name: str
    purpose: Literal["general", "spot", "gpu"]
    minimum: int
    maximum: int


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


AUTOSCALER = "cluster-autoscaler"
"""The name of the autoscaler's image, of its namespace and of its service account."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """The configuration of the cluster autoscaler, for clouds that run none themselves."""

    flags: Sequence[pulumi.Input[str]]
    """The flags that name the cloud, and the node groups to scale."""
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The way to reach a cluster, and what the cluster brings along."""

    kubeconfig: pulumi.Output[str]
    """The complete text of a kubeconfig, as a secret; dynamic resources take it, since they can't use a provider."""
    options: Mapping[str, Any]
    """The options of the provider for the cluster's objects."""
    images: Mapping[str, str]
    """References of the images that the cluster brings along, by our short names."""
    storage_class: str | None
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
    version: str | None = None
    """The version of Kubernetes in the settings; None where the settings name none."""
    load_balancer: LoadBalancer = LoadBalancer(kind="the cluster's own")
    registry: pulumi.Output[str] | None = None
    """The registry that the stack made: images are pushed to <registry>/<name>."""
    registry_login: pulumi.Output[str] | None = None
    """The login to that registry, as the text of a Docker configuration; None where nodes pull with their own
    rights."""
    object_storage: ObjectStorage | None = None
    pools: tuple[NodePool, ...] = ()
    """The node pools that the stack made."""
    autoscaler: Autoscaler | None = None
    """The autoscaler that the stack installs for those pools; None where the cloud scales them, or no pool scales."""
    alone: bool = False
    """Whether the stack stops at the cluster and puts no platform on it yet."""

    @property
    def needs(self) -> Needs:
        """The needs of the cluster itself: those of its autoscaler, if it has one."""
        return Needs(images=(AUTOSCALER,), namespaces=(AUTOSCALER,)) if self.autoscaler else Needs()

    def size_of(self, volume: str) -> str:
        """The size that a volume asks for whose size in the settings is `volume`."""
        return self.volume_size or volume

    def exports(self) -> dict[str, Any]:
        """The stack outputs about the cluster, for people and for other stacks."""
        return {"cluster": self._summary(), "kubeconfig": self.kubeconfig}

    def _summary(self) -> dict[str, Any]:
        """A description of the cluster; empty where the stack did not make it."""
        if not self.pools:
            return {}
        return {
            "version": self.version,
            "pools": [asdict(pool) for pool in self.pools],
            "storage_class": self.storage_class,
            "load_balancer": _known(self.load_balancer, "kind", "annotations", "address"),
            "registry": self.registry,
            "object_storage": _known(self.object_storage, "endpoint", "region", "buckets"),
        }

    def provider(self, after: Sequence[pulumi.Resource]) -> pulumi.ProviderResource:
        """The provider for the cluster's objects; it waits for the resources `after`, and so do all its objects."""
        return kubernetes.Provider(
            "cluster",
            kubeconfig=self.kubeconfig,
            enable_server_side_apply=True,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            **self.options,
            opts=pulumi.ResourceOptions(depends_on=after),
        )


def _closed_to_others(networks: Sequence[str]) -> dict[str, Any]:
    """The fields that let in `networks` alone, which are IPv4: source ranges of one family say nothing about the
    other, so a Service with an IPv6 address would be open to everybody by that."""
    return {
        "loadBalancerSourceRanges": list(networks),
        "ipFamilyPolicy": "SingleStack",
        "ipFamilies": ["IPv4"],
    }


def _known(value: object, *names: str) -> dict[str, Any]:
    return {name: found for name in names if (found := getattr(value, name, None)) is not None}
