"""What an image holds, read from its layers without running it: packages of Debian and of Python, Go modules, jars.

Owns which files tell of packages and how layers lie on each other. A program that comes in a Python package, such as
Envoy, is known by the lock that pins it.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from email.parser import HeaderParser
from functools import cache
from pathlib import Path, PurePosixPath

from cyclonedx.model.component import Component
from ml_local import apt_sources, images
from ml_local.oci_layout import Layout
from packageurl import PackageURL

from ml_supply import go_modules, jars, layers, python_packages
from ml_supply.package import library

DPKG_STATUS = "var/lib/dpkg/status"
PYTHON = re.compile(r"^(?!usr/lib/python3/).*\.(dist-info/METADATA|egg-info/PKG-INFO)$")  # Debian's own are Debian's
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


def components(name: str, layout: Layout, manifest: str) -> list[Component]:
    """The packages in the image `name`, each once."""
    found: dict[str, tuple[Component, ...]] = {}
    for layer in json.loads(layout.blob(manifest).read_bytes())["layers"]:
        gone, held = _layer(layout.blob(layer["digest"]))
        found = {path: each for path, each in found.items() if not _within(path, gone)} | held
    declared = images.find(name)
    pinned = [lock for lock in (declared.files if declared else ()) if lock.endswith(".txt")]
    locks = [each for lock in pinned for each in python_packages.named(images.workloads() / lock)]
    inside = [each for packages in found.values() for each in packages]
    return list({str(each.purl): each for each in (*locks, *inside)}.values())


@cache  # most layers are those of a common base
def _layer(blob: Path) -> tuple[frozenset[str], dict[str, tuple[Component, ...]]]:
    """The paths that a layer removes or replaces, and the packages of those files that tell of any."""
    gone: set[str] = set()
    held: dict[str, tuple[Component, ...]] = {}
    for member, archive in layers.members(blob):
        path = PurePosixPath(member.name)
        if path.name == OPAQUE:
            gone.add(str(path.parent))
        elif path.name.startswith(WHITEOUT):
            gone.add(str(path.with_name(path.name.removeprefix(WHITEOUT))))
        elif not member.isdir():
            gone.add(str(path))
        if member.isfile() and (packages := tuple(_packages(str(path), member, archive))):
            held[str(path)] = packages
    return frozenset(gone), held


def _within(path: str, gone: frozenset[str]) -> bool:
    return path in gone or any(str(parent) in gone for parent in PurePosixPath(path).parents)


def _packages(path: str, member: tarfile.TarInfo, archive: tarfile.TarFile) -> Iterable[Component]:
    if path == DPKG_STATUS:
        return debian(layers.content(member, archive).decode())
    if PYTHON.match(path):
        text = layers.content(member, archive).decode(errors="replace")
        return [python_packages.component(HeaderParser().parsestr(text))]
    if path.endswith(".jar"):
        return jars.packages(PurePosixPath(path).name, layers.content(member, archive))
    return go_modules.linked(layers.content(member, archive)) if member.mode & 0o111 else ()


def debian(status: str) -> Iterator[Component]:
    """The installed packages, with the source package that advisories are about."""
    for paragraph in status.strip().split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if fields["Status"] != "install ok installed":
            continue
        upstream = fields["Source"] or fields["Package"]  # `name (version)` where the version is another one
        qualifiers = {"arch": fields["Architecture"], "distro": apt_sources.RELEASE}
        qualifiers["upstream"] = re.sub(r" \((.*)\)", r"@\1", upstream)
        yield library(PackageURL("deb", "debian", fields["Package"], fields["Version"], qualifiers))
