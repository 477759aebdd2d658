"""A Kubernetes cluster as the platform needs it, whatever it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

from ml_platform.needs import Needs
from ml_platform.object_storage import ObjectStorage


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """Nodes of one kind, and what they are for."""

    name: str
    purpose: Literal["general", "spot", "gpu"]
    minimum: int
    maximum: int


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """What stands before a Service of type LoadBalancer."""

    kind: str
    annotations: Mapping[str, str] | pulumi.Output[Mapping[str, str]] = field(default_factory=dict)
    """Those of the gateway's Service that make it so."""
    address: pulumi.Output[str | None] | None = None
    """Its address where that is known before it is there."""
    assumed: bool = False
    """Whether it is there for certain, so that nobody need look for signs of it."""

    def annotated(self, own: Mapping[str, str]) -> Mapping[str, str] | pulumi.Output[Mapping[str, str]]:
        """The annotations of the gateway's Service, with `own` ones; plain where they are."""
        if isinstance(self.annotations, pulumi.Output):
            return self.annotations.apply(lambda found: {**own, **found})
        return {**own, **self.annotations}

    def spec(self, networks: Sequence[str] = ()) -> dict[str, Any]:
        """What a Service asks for it by, beside its annotations; `networks` alone may connect, if there are any."""
        asked = {"loadBalancerIP": self.address} if self.address is not None else {}
        return {"type": "LoadBalancer", **asked, **({"loadBalancerSourceRanges": list(networks)} if networks else {})}


AUTOSCALER = "cluster-autoscaler"
"""By which it is known: its image, its namespace, its service account."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """What the cluster autoscaler is told where the cloud runs none itself."""

    flags: Sequence[pulumi.Input[str]]
    """Which cloud, and which of its groups of nodes."""
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """How to reach it, and what it brings along."""

    kubeconfig: pulumi.Output[str]
    """The text, complete and secret: dynamic resources have no provider of their own."""
    options: Mapping[str, Any]
    """Of the provider for its objects."""
    images: Mapping[str, str]
    """Image references by name, for what its own registry holds."""
    storage_class: str | None
    """None is the cluster's default."""
    volume_size: str | None = None
    """What all volumes ask for where that limits nothing; None is what the settings say."""
    disposable: bool
    """Whether removing the stack removes everything, definitions and volumes too."""
    protected: bool
    """Whether what holds data in it is neither removed nor replaced."""
    seed: pulumi.Output[str] | None = None
    """What passwords are derived from; None is the stack's secret ml-platform:seed."""
    pulls: bool = True
    """Whether it can pull images from the network, and not only those of `images`."""
    version: str | None = None
    """What the settings ask for; None is whatever it has."""
    load_balancer: LoadBalancer = LoadBalancer(kind="the cluster's own")
    registry: pulumi.Output[str] | None = None
    """Where its images may be pushed to, as <registry>/<name>."""
    registry_login: pulumi.Output[str] | None = None
    """To that registry, where nodes can't pull by themselves: the text of a Docker configuration."""
    object_storage: ObjectStorage | None = None
    pools: tuple[NodePool, ...] = ()
    autoscaler: Autoscaler | None = None
    """What makes nodes of those pools as pods ask for them, if that has to be put on it."""
    alone: bool = False
    """Whether nothing is to be put on it yet."""

    @property
    def needs(self) -> Needs:
        """What it has to have put on it to work as its settings say."""
        return Needs(images=(AUTOSCALER,), namespaces=(AUTOSCALER,)) if self.autoscaler else Needs()

    def exports(self) -> dict[str, Any]:
        """What people, and other stacks, have to know of it."""
        return {"cluster": self._summary(), "kubeconfig": self.kubeconfig}

    def _summary(self) -> dict[str, Any]:
        """Nothing where the stack did not make it."""
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
        """The provider for its objects; nothing goes to the cluster by it before `after` is done."""
        return kubernetes.Provider(
            "cluster",
            kubeconfig=self.kubeconfig,
            enable_server_side_apply=True,
            enable_config_map_mutable=True,
            enable_secret_mutable=True,
            **self.options,
            opts=pulumi.ResourceOptions(depends_on=after),
        )


def _known(value: object, *names: str) -> dict[str, Any]:
    return {name: found for name in names if (found := getattr(value, name, None)) is not None}
