"""What all bundles of one stack have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry, Size
from ml_platform.bundles.declared import Declared


@dataclass(frozen=True, kw_only=True)
class Installation:
    """How releases are found, adapted and put on the cluster. All fields but `kubeconfig` and `login` are plain."""

    kubeconfig: pulumi.Input[str]
    labels: Mapping[str, str]
    images: Mapping[str, str]
    """Our short name of an image -> its reference by digest."""
    registry: str | None = None
    """The registry that mirrors all other images, as <registry>/<their own reference>."""
    login: pulumi.Output[str] | None = None
    """The .dockerconfigjson for the registries of all images, if they need one."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Bundle -> version, where that is not the catalog's default."""
    existing: frozenset[str] = frozenset()
    """Bundles that somebody else runs on the cluster."""
    mirror: Path | None = None
    """A folder of renderings, <part>/<version>.yaml, that is read before the network."""
    size: Size = "standard"
    cert_manager: bool = False
    """Whether cert-manager issues the certificates of webhooks; otherwise the stack does."""
    retain_definitions: bool = True
    """Whether CRDs, and so all their objects, outlive the stack."""
    after: Sequence[pulumi.Resource] = ()
    """The resources that every bundle waits for: the preflight."""
    declared: Declared = field(default_factory=Declared, repr=False)
    """The objects that the bundles of the stack have declared so far."""

    def entry(self, name: str) -> Entry:
        return catalog.entry(name, self.versions.get(name))

    def mirrored(self, name: str) -> str | None:
        """The path in the registry of the images whose references the bundle's controller composes at run time; None
        without a registry."""
        released = self.entry(name).runtime_images[0].image.rpartition("/")[0]
        return f"{self.registry}/{released}" if self.registry else None
