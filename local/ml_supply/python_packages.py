"""Python packages as components of a bill of materials: from their metadata, and from the locks that pin them."""

from __future__ import annotations

import importlib.metadata
import re
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.component import Component
from ml_local.errors import LocalError
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from ml_supply import licences
from ml_supply.package import library

PINNED = re.compile(r"^([a-z0-9.-]+)(?:\[.*?\])?==(\S+)((?: \\\n +--hash=\S+)+)$", re.MULTILINE)


def component(metadata: Message) -> Component:
    """The package that this METADATA describes."""
    purl = PackageURL("pypi", None, canonicalize_name(metadata["Name"]), metadata["Version"])
    return library(purl, licence=licences.terms().stated(metadata))


def named(lock: Path) -> list[Component]:
    """What a lock pins, by name and version alone."""
    pins = (found.groups() for found in PINNED.finditer(lock.read_text()))
    return [component(HeaderParser().parsestr(f"Name: {name}\nVersion: {version}")) for name, version, _ in pins]


def pinned(lock: Path) -> list[Component]:
    """What a lock pins, by the metadata of what is installed here, with the hashes of what pip may install.

    Raises:
        LocalError: a package is not installed here, or in another version.
    """
    return [_pinned(lock, *found.groups()) for found in PINNED.finditer(lock.read_text())]


def _pinned(lock: Path, name: str, version: str, hashes: str) -> Component:
    try:
        metadata = importlib.metadata.distribution(name).read_text("METADATA") or ""
    except importlib.metadata.PackageNotFoundError:
        metadata = ""
    package = HeaderParser().parsestr(metadata)
    if package["Version"] != version:
        raise LocalError(
            f"{lock.name} pins {name} {version}, and {package['Version'] or 'none'} is installed here; "
            "start it by `make supply DO=...`, whose Python environment is the locks'"
        )
    found = component(package)
    digests = [HashType(alg=HashAlgorithm.SHA_256, content=each) for each in re.findall(r"--hash=sha256:(\S+)", hashes)]
    where = XsUri(str(found.purl))  # any registry that has it: the hashes say whether it is the one
    found.external_references.add(ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=where, hashes=digests))
    return found
