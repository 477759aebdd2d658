"""The official Pulumi command: that on PATH if it is of the right version, else the release, checked by its sha256."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import shutil
import tarfile
from pathlib import Path

import urllib3
from pulumi.automation import PulumiCommand

from ml_ci.errors import CiError

VERSION = "3.259.0"
RELEASE = "https://github.com/pulumi/pulumi/releases/download/v{version}/pulumi-v{version}-linux-{machine}.tar.gz"
ARCHIVES = {
    "x86_64": ("x64", "94ba357acac23d01474084c4b00098dc0f7bc70ce13f34c777459254a5f718e5"),
    "aarch64": ("arm64", "edc8327463a72160bb36cf82cf5062da9c8a244290a706d9980988e7bf486853"),
}
"""By machine: its name in the release, and the archive's sha256."""


def command() -> PulumiCommand:
    """
    Raises:
        CiError: the release can't be had, or is not what it was when it was pinned.
    """
    if shutil.which("pulumi") and str((found := PulumiCommand()).version) == VERSION:
        return found
    root = Path(os.environ.get("ML_PLATFORM_CACHE") or Path.home() / ".cache" / "ml-platform") / f"pulumi-{VERSION}"
    if not root.exists():
        _install(root)
    return PulumiCommand(str(root))


def _install(root: Path) -> None:
    machine, digest = ARCHIVES[platform.machine()]
    url = RELEASE.format(version=VERSION, machine=machine)
    archive = _fetch(url)
    if (given := hashlib.sha256(archive).hexdigest()) != digest:
        raise CiError(f"{url} has the sha256 {given}, not {digest}: it is not the release that was pinned; run nothing")
    partial = root.with_name(f"{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(partial, filter="data")
    (partial / "pulumi").rename(partial / "bin")
    partial.rename(root)


def _fetch(url: str) -> bytes:
    try:
        answer = urllib3.request("GET", url, retries=3)
    except urllib3.exceptions.HTTPError as error:
        raise CiError(f"{url} can't be had ({error}); or put pulumi {VERSION} on PATH") from error
    if answer.status != 200:
        raise CiError(f"{url} answers {answer.status}; or put pulumi {VERSION} on PATH")
    return answer.data
