"""Charts: pulled, stamped and rendered as the catalog says; Helm's configuration on this machine has no influence."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from ml_platform.bundles.catalog import ChartSource, Entry, Part
from ml_platform.bundles.errors import BundleError, UnobtainableError
from ml_platform.bundles.render.process import find, run

log = logging.getLogger("ml_platform.bundles")
VERSION = "3.21"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The names and versions that a chart is rendered for."""

    release: str
    namespace: str
    kube_version: str
    api_versions: tuple[str, ...]

    @classmethod
    def of(cls, entry: Entry, part: Part, release: str | None) -> Self:
        return cls(
            release=release or part.name,
            namespace=part.namespace or entry.namespace,
            kube_version=entry.kube_version,
            api_versions=entry.api_versions,
        )


def command() -> str:
    """The path of Helm.

    Raises:
        BundleError: Helm is missing, or of another version, whose renderings have other digests than the catalog's.
    """
    return _checked(
        find("helm", advice=f"Install Helm {VERSION} (https://helm.sh), or use a mirror, which needs none.")
    )


@cache
def _checked(found: str) -> str:
    version = run([found, "version", "--template", "{{.Version}}"], purpose="Asking Helm for its version").strip()
    if not version.startswith(f"v{VERSION}."):
        raise BundleError(
            f"{found} is Helm {version}, and releases are rendered by Helm {VERSION}: another one gives other texts, "
            f"which the catalog's sha256 refuse. Put Helm {VERSION} (https://helm.sh) first on PATH, or use a mirror, "
            "which needs none."
        )
    return found


def pull(source: ChartSource, folder: Path) -> Path:
    """Pulls a published chart into `folder`; returns the path of its archive.

    Raises:
        BundleError: the archive has another digest than the catalog's.
        UnobtainableError: it can't be pulled.
    """
    oci = source.repository.startswith("oci://")
    chart = [f"{source.repository}/{source.chart}"] if oci else [source.chart, "--repo", source.repository]
    purpose = f"Pulling chart {source.repository}/{source.chart} {source.version}"
    log.info("%s", purpose)
    _helm(
        "pull",
        *chart,
        "--version",
        source.version,
        "--destination",
        str(folder),
        purpose=purpose,
        error=UnobtainableError,
    )
    (archive,) = folder.glob("*.tgz")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != source.digest:
        raise BundleError(
            f"{purpose} gave an archive with sha256\n  {found}, but the catalog says\n  {source.digest}.\n"
            "The chart was published anew under the same version: don't use it before you know why."
        )
    return archive


def stamp(chart: Path, version: str, app_version: str) -> None:
    """Writes version and appVersion into Chart.yaml, as a release tool does."""
    path = chart / "Chart.yaml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith(("version:", "appVersion:"))]
    path.write_text("\n".join([*kept, f"version: {version}", f"appVersion: {app_version}"]) + "\n")


def template(chart: Path, target: Target, values: Mapping[str, Any]) -> str:
    """The rendering of a chart, CRDs and hooks included."""
    options = ["--namespace", target.namespace, "--include-crds", "--kube-version", f"v{target.kube_version}"]
    for version in target.api_versions:
        options += ["--api-versions", version]
    for name, value in values.items():
        options += ["--set-json", f"{name}={json.dumps(value)}"]
    return _helm("template", target.release, str(chart), *options, purpose=f"Rendering chart {chart.name}")


def _helm(*words: str, purpose: str, error: type[BundleError] = BundleError) -> str:
    with TemporaryDirectory(prefix="ml-platform-helm-") as home:
        env = {f"HELM_{kind}_HOME": f"{home}/{kind}" for kind in ("CACHE", "CONFIG", "DATA")}
        return run([command(), *words], purpose=purpose, env=env, error=error)
