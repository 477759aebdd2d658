"""What parts of a stack need of their cluster: known from settings alone, before anything is declared.

A part says it in one place, and all who have to know it beforehand take the sum: the preflight, the check of images,
what builds images, the list of the platform's namespaces. What is declared in the end is the parts' own business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings.bundles import BundlesSettings

CLUSTER = ("default", "kube-node-lease", "kube-public", "kube-system")
"""Namespaces of every cluster."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Names alone. The sum of two keeps their order."""

    bundles: tuple[str, ...] = ()
    """Releases of foreign software, by their names in the catalog."""
    images: tuple[str, ...] = ()
    """Our short names of images that must have a reference: nobody but us has them."""
    images_of_work: tuple[str, ...] = ()
    """Of images that work on the platform may run beside."""
    namespaces: tuple[str, ...] = ()
    """Those that the part declares itself; the ones of a bundle are the bundle's."""
    hosts: tuple[str, ...] = ()
    """Names below the domain under which the gateway leads to it."""
    volumes: tuple[Volume, ...] = ()
    """What the settings want of volumes that it keeps."""
    objects: tuple[Object, ...] = ()
    """Further objects outside of any namespace that it declares itself: kind and name."""

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
        """The objects that the parts declare themselves and of which a cluster has one: what could be taken already."""
        return [*(_named("v1", "Namespace", name) for name in self.namespaces), *self.objects]

    def installed(self, chosen: BundlesSettings) -> tuple[Entry, ...]:
        """The releases that the stack installs: not those that somebody else runs."""
        return tuple(each for each in self._entries(chosen) if each.name not in chosen.existing)

    def existing(self, chosen: BundlesSettings) -> tuple[Entry, ...]:
        """The releases that somebody else runs, and that are used."""
        return tuple(each for each in self._entries(chosen) if each.name in chosen.existing)

    def own_images(self, chosen: BundlesSettings) -> frozenset[str]:
        """Images that only we have: the parts' own, and those of lean releases."""
        lean = (item for entry in self.installed(chosen) for item in entry.images.items())
        return frozenset(self.images).union(name for name, reference in lean if name == reference)

    def all_images(self, chosen: BundlesSettings) -> frozenset[str]:
        """Our short names of all images that the platform and the work on it may run."""
        released = (entry.images for entry in self.installed(chosen))
        return self.own_images(chosen).union(self.images_of_work, *released)

    def _entries(self, chosen: BundlesSettings) -> tuple[Entry, ...]:
        return tuple(catalog.entry(name, chosen.versions.get(name)) for name in self.bundles)


def together(parts: Mapping[str, Needs], chosen: BundlesSettings) -> Needs:
    """The sum of what `parts` need, each under the name by which a message calls it.

    Raises:
        SettingsError: two of them claim one namespace or host, or one claims what is the cluster's or a release's.
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


def _named(api_version: str, kind: str, name: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
