"""A Kubernetes cluster as the platform needs it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """How to reach it, and what it brings along."""

    provider: pulumi.ProviderResource
    kubeconfig: pulumi.Output[str]
    """The text, complete and secret: dynamic resources have no provider of their own."""
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
