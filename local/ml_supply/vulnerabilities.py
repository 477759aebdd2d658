"""Which packages of bills of materials an advisory is about. How advisories are read and compared is in advisories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from cyclonedx.model.bom import Bom
from packageurl import PackageURL

from ml_supply import bom
from ml_supply.advisories import Advisory


@dataclass(frozen=True, order=True)
class Package:
    """As advisories name it."""

    ecosystem: str
    name: str
    version: str


def package(purl: PackageURL) -> Package | None:
    """What to look up; none for a kind of package that no advisory names."""
    version = purl.version or ""
    if purl.type == "pypi":
        return Package("PyPI", purl.name, version)
    if purl.type == "golang":
        return Package("Go", "/".join(filter(None, (purl.namespace, purl.name))), version)
    if purl.type == "maven":
        return Package("Maven", f"{purl.namespace}:{purl.name}", version)
    if purl.type == "deb":
        source, _, of_source = dict(purl.qualifiers)["upstream"].partition("@")
        return Package("Debian:12", source, of_source or version)
    return None


def found(bills: Iterable[Bom], advisories: Iterable[Advisory]) -> list[str]:
    """A line for each vulnerability of a package: what it is, since when it is mended, and what has the package."""
    holders: dict[Package, set[str]] = defaultdict(set)
    for bill in bills:
        for component in bill.components:
            if component.purl and (key := package(component.purl)):
                holders[key].add(bom.title(bill))
    versions: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for each in holders:
        versions[each.ecosystem, each.name.lower()].append(each)
    return sorted(
        f"{each.name} {each.version} ({', '.join(sorted(holders[each]))}): {_told(advisory, each)}"
        for advisory in advisories
        for each in versions.get((advisory.ecosystem, advisory.name.lower()), ())
        if advisory.concerns(each.version)
    )


def _told(advisory: Advisory, of: Package) -> str:
    fixed = advisory.fixed(of.version)
    return f"{f'fixed in {fixed}' if fixed else 'not fixed yet'}, {advisory.title}"


def unknown(bills: Iterable[Bom]) -> list[str]:
    """The packages that can't be looked up, since nothing in them tells by which name they are published."""
    components = (component for bill in bills for component in bill.components)
    return sorted({str(each.purl) for each in components if each.purl and package(each.purl) is None})
