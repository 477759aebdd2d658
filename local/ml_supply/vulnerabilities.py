"""Which packages of bills of materials an advisory is about. How advisories are read and compared is in advisories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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
    purl: str
    """Of all its versions; of one of Debian's, that of the source package."""


@dataclass(frozen=True, order=True)
class Finding:
    """A vulnerability of a package."""

    line: str
    package: str
    numbers: frozenset[str]


def package(purl: PackageURL) -> Package | None:
    """What to look up; none for a kind of package that no advisory names."""
    namespace, name, version = purl.namespace or "", purl.name, purl.version or ""
    if purl.type == "deb":
        name, _, of_source = dict(purl.qualifiers)["upstream"].partition("@")
        version = of_source or version
    known = {
        "pypi": ("PyPI", name),
        "golang": ("Go", f"{namespace}/{name}".lstrip("/")),
        "maven": ("Maven", f"{namespace}:{name}"),
        "deb": ("Debian:12", name),
    }
    if purl.type not in known:
        return None
    return Package(*known[purl.type], version, str(PackageURL(purl.type, namespace, name)))


def packages(bills: Iterable[Bom]) -> dict[Package, set[str]]:
    """What can be looked up, with the names of what has it."""
    holders: dict[Package, set[str]] = defaultdict(set)
    for bill in bills:
        for component in bill.components:
            if component.purl and (key := package(component.purl)):
                holders[key].add(bom.title(bill))
    return holders


def found(holders: Mapping[Package, set[str]], advisories: Iterable[Advisory]) -> list[Finding]:
    """Each vulnerability of a package: what it is, since when it is mended, and what has the package."""
    versions: dict[tuple[str, str], list[Package]] = defaultdict(list)
    for each in holders:
        versions[each.ecosystem, each.name.lower()].append(each)
    return sorted(
        Finding(
            f"{each.name} {each.version} ({', '.join(sorted(holders[each]))}): {_told(advisory, each)}",
            each.purl,
            advisory.numbers,
        )
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
