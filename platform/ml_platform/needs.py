"""The needs of the parts of a stack: what they take from the cluster, known from settings before any declaration.

Each part states its needs in one place. Their sum serves the preflight, the check of images, the image builder and the
list of the platform's namespaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.names import AUTOSCALER
from ml_platform.settings.bundles import BundlesSettings

CLUSTER = ("default", "kube-node-lease", "kube-public", "kube-system", AUTOSCALER)
"""The namespaces that every cluster has from its start, and the one that a stack may make beside its nodes."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The needs of a part, as names. `a + b` keeps the order of both and drops repetitions."""

    bundles: tuple[str, ...] = ()
    """Bundles of foreign software, by their names in the catalog."""
    images: tuple[str, ...] = ()
    """Short names of images that the part runs. The project builds them, so each must have a reference."""
    images_of_work: tuple[str, ...] = ()
    """Short names of further images, which work on the platform may run."""
    namespaces: tuple[str, ...] = ()
    """Namespaces that the part declares itself; a bundle's namespace comes from the catalog."""
    hosts: tuple[str, ...] = ()
    """Hosts below the domain that the gateway routes to the part."""
    volumes: tuple[Volume, ...] = ()
    """Persistent volumes of the part, with the size that the settings ask for."""
    objects: tuple[Object, ...] = ()
    """Further cluster-scoped objects that the part declares itself, with kind and name."""

    def __add__(self, other: Self) -> Self:
        both: dict[str, Any] = {
            each.name: (
                *getattr(self, each.name),
                *(one for one in getattr(other, each.name) if one not in getattr(self, each.name)),
            )
            for each in fields(self)
        }
        return type(self)(**both)

    def outside_of_namespaces(self) -> list[Object]:
        """The cluster-scoped objects that the parts declare themselves; the cluster may already have one of the same
        name."""
        return [*(_manifest("v1", "Namespace", name) for name in self.namespaces), *self.objects]

    def installed(self, chosen: BundlesSettings) -> tuple[Entry, ...]:
        """The bundles that the stack installs itself."""
        return tuple(each for each in self._entries(chosen) if each.name not in chosen.existing)

    def existing(self, chosen: BundlesSettings) -> tuple[Entry, ...]:
        """The bundles that the stack uses and that somebody else has installed (bundles.existing)."""
        return tuple(each for each in self._entries(chosen) if each.name in chosen.existing)

    def own_images(self, chosen: BundlesSettings) -> frozenset[str]:
        """Short names of the images that the project builds: those of the parts, and those of bundles that the project
        declares in its own words (local/bundles)."""
        lean = (item for entry in self.installed(chosen) for item in entry.images.items())
        return frozenset(self.images).union(name for name, reference in lean if name == reference)

    def all_images(self, chosen: BundlesSettings) -> frozenset[str]:
        """Short names of all images that the platform and the work on it may run."""
        released = (entry.images for entry in self.installed(chosen))
        return self.own_images(chosen).union(self.images_of_work, *released)

    def _entries(self, chosen: BundlesSettings) -> tuple[Entry, ...]:
        return tuple(catalog.entry(name, chosen.versions.get(name)) for name in self.bundles)


def together(parts: Mapping[str, Needs], chosen: BundlesSettings) -> Needs:
    """The sum of the needs of `parts`; the key of each part is its name in messages.

    Raises:
        SettingsError: two parts claim one namespace or host, or a part claims a namespace of the cluster or a bundle.
    """
    namespaces = dict.fromkeys(CLUSTER, "the cluster itself")
    released = Needs(bundles=tuple(dict.fromkeys(name for each in parts.values() for name in each.bundles)))
    namespaces |= {entry.namespace: entry.title for entry in released._entries(chosen)}
    owners = {"namespaces": namespaces, "hosts": {}}
    total = Needs()
    for part, needs in parts.items():
        for field, known in owners.items():
            for name in getattr(needs, field):
                if known.setdefault(name, part) != part:
                    raise SettingsError(
                        f"{field.removesuffix('s').capitalize()} {name!r} is claimed by both {known[name]} and {part}. "
                        f"Give one of them another name in {PROJECT}:platform or {PROJECT}:workloads, for example:\n"
                        f"  pulumi config set --path '{PROJECT}:workloads.namespace' <namespace>"
                    )
        total += needs
    return total


def _manifest(api_version: str, kind: str, name: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
