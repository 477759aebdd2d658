"""One package of any kind, as a component of a bill of materials: its package URL says all that identifies it."""

from __future__ import annotations

from collections.abc import Iterable

from cyclonedx.model import HashType
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from packageurl import PackageURL


def library(purl: PackageURL, *, licence: str = "", hashes: Iterable[HashType] = ()) -> Component:
    """The package with that URL, under that SPDX expression if it is known."""
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        group=purl.namespace,
        name=purl.name,
        version=purl.version,
        purl=purl,
        licenses=[LicenseExpression(licence)] if licence else (),
        hashes=hashes,
    )
