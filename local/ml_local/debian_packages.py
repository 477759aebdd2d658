"""Which Debian packages the private root and the images are made of, by version: a record in the cache.

The record is what their keys are made of, so that an update of a package is another root and another image. It is
asked for anew by whoever calls `ask`, and is the same until then, with a network or without.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ml_local import paths
from ml_local.apt import Apt

ROOT = (
    "?essential",
    "buildah",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "debian-archive-keyring",
    "docker-registry",
    "iproute2",
    "iptables",
    "mmdebstrap",
    "mount",
    "nftables",
    "patchelf",
    "runc",
    "usr-is-merged",
)
DEBIAN_IMAGE = ("?essential", "apt", "usr-is-merged")
INSTALLED = re.compile(r"apt-get install(?:[ \t]+-\S+)*((?:[ \t]+[a-z0-9][a-z0-9.+-]+)+)")


@dataclass(frozen=True)
class Packages:
    """Packages as `name=version`: those of the private root, and those that an image installs with all they need."""

    asked: str = ""  # the day, by ISO 8601
    root: tuple[str, ...] = ()
    images: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def age(self) -> int:
        """Days since they were asked for."""
        return (_today() - date.fromisoformat(self.asked)).days

    def newer(self, before: Packages) -> list[str]:
        """What changed since, each as `name old -> new`."""
        old, new = before._versions(), self._versions()
        changed = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
        return [f"{name} {old[name]} -> {new[name]}" for name in changed]

    def write(self) -> None:
        """Make these the ones in use."""
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=1))
        partial.replace(path)

    def _versions(self) -> dict[str, str]:
        every = [*self.root, *(package for packages in self.images.values() for package in packages)]
        return dict(package.split("=", 1) for package in every)


def in_use() -> Packages:
    """Those of the record; none before the first time that they are asked for."""
    if not _path().exists():
        return Packages()
    return recorded(json.loads(_path().read_text()))


def recorded(record: Mapping[str, Any]) -> Packages:
    """Those of a record, as it is written."""
    images = {name: tuple(packages) for name, packages in record["images"].items()}
    return Packages(record["asked"], tuple(record["root"]), images)


def ask(apt: Apt) -> Packages:
    """Those that the mirrors have now.

    Raises:
        LocalError: the mirrors don't answer, or have no such package.
    """
    apt.update()
    images = {name: apt.resolve(names) for name, names in _installed().items()}
    return Packages(_today().isoformat(), apt.resolve(ROOT), images)


def _installed() -> dict[str, tuple[str, ...]]:
    """What each image installs, by its Containerfile; the minimal Debian has none."""
    found: dict[str, tuple[str, ...]] = {"debian": DEBIAN_IMAGE}
    for path in sorted((paths.checkout() / "workloads" / "images").glob("Containerfile.*")):
        text = path.read_text().replace("\\\n", " ")
        names = {name for packages in INSTALLED.findall(text) for name in packages.split()}
        if names:
            found[path.suffix.removeprefix(".")] = tuple(sorted(names))
    return found


def _today() -> date:
    return datetime.now(UTC).date()


def _path() -> Path:
    return paths.cache() / "debian" / "packages.json"
