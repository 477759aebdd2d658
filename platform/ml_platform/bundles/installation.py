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
    """How releases are found, adapted and put on the cluster. All settings but the kubeconfig are plain."""

    kubeconfig: pulumi.Input[str]
    labels: Mapping[str, str]
    images: Mapping[str, str]
    """References by digest, by our short names."""
    registry: str | None = None
    """Where all other images are mirrored: <registry>/<their own reference>."""
    login: pulumi.Output[str] | None = None
    """To the registries of all images, if they need one."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Bundle -> version, where it is not the catalog's first."""
    existing: frozenset[str] = frozenset()
    """Bundles that somebody else runs on the cluster."""
    mirror: Path | None = None
    """A folder of renderings, looked into before the network: <part>/<version>.yaml."""
    size: Size = "standard"
    cert_manager: bool = False
    """Whether cert-manager issues the certificates of webhooks; else the stack does."""
    retain_definitions: bool = True
    """Whether kinds, and so all objects of them, outlive the stack."""
    after: Sequence[pulumi.Resource] = ()
    """What every bundle waits for: the preflight."""
    declared: Declared = field(default_factory=Declared, repr=False)
    """By the bundles before."""

    def entry(self, name: str) -> Entry:
        return catalog.entry(name, self.versions.get(name))

    def mirrored(self, name: str) -> str | None:
        """Where the registry has what a bundle's controller puts together a reference of: its images at run time."""
        released = self.entry(name).runtime_images[0].image.rpartition("/")[0]
        return f"{self.registry}/{released}" if self.registry else None
