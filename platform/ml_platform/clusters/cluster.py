"""A Kubernetes cluster as the platform needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """How to reach it, and what it brings along."""

    kubeconfig: pulumi.Output[str]
    """The text, complete and secret: dynamic resources have no provider of their own."""
    options: Mapping[str, Any]
    """Of the provider for its objects."""
    seed: pulumi.Output[str]
    """What passwords are derived from."""
    images: Mapping[str, str]
    """Image references by name, for what its own registry holds."""
    storage_class: str | None
    """None is the cluster's default."""
    disposable: bool
    """Whether removing the stack removes everything, definitions and volumes too."""
    pulls: bool = True
    """Whether it can pull images from the network, and not only those of `images`."""

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
