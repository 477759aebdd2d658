"""What was green on this machine: a tier runs again when something that it may depend on has changed since.

A proof is an empty file in the cache, named by the tier and by a digest of its inputs: every file of the checkout but
those that can't matter to the tier, the images and commands as they are built, the interpreter, the kernel, the mirror.
"""

from __future__ import annotations

import fnmatch
import hashlib
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_local import images, paths
from support import tiers

FORGES = ("*.md", "docs/*", ".github/*", ".gitlab*", ".gitleaks.toml")
NO_INPUTS = {
    "acceptance": FORGES,
    "e2e": ("docs/*", *FORGES[2:], "policies/*"),  # the clients that README shows are tried
    "faults": (*FORGES, "policies/*"),
    "environments": (*FORGES, "policies/*"),
    "upstream": (*FORGES, "policies/*"),
}
KEPT_SECONDS = 30 * 24 * 3600


class Prover:
    """A pytest plugin that notes, at the end of a run of whole tiers, which of them were green."""

    def __init__(self, everything: bool) -> None:
        self._everything = everything
        self._files = {tier: _files(tier) for tier in tiers.TIERS}
        self._ran: set[str] = set()
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        tier = tiers.of_nodeid(report.nodeid)
        self._ran.add(tier)
        if report.failed:
            self._failed.add(tier)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run that was interrupted, or whose collection failed, proves nothing; nor is a tier proven whose files
        somebody has changed meanwhile."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not session.shouldstop:
            same = {tier for tier, before in self._files.items() if _files(tier) == before}
            record(same & self._ran - self._failed, self._everything)


def proven(tier: str, everything: bool) -> str | None:
    """When the tier was last green with the inputs that it has now, if it was."""
    found = [proof for proof in (_proof(tier, True), _proof(tier, everything)) if proof.exists()]
    return time.strftime("%d %B, %H:%M", time.localtime(found[0].stat().st_mtime)) if found else None


def record(green: set[str], everything: bool) -> None:
    """Note the tiers that are green; notes that nobody has renewed for a month go."""
    for tier in green:
        proof = _proof(tier, everything)
        proof.parent.mkdir(parents=True, exist_ok=True)
        proof.touch()
    for old in _folder().glob("*"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)


def _proof(tier: str, everything: bool) -> Path:
    digest = hashlib.sha256(_files(tier))
    for each in _surroundings(tier):
        digest.update(hashlib.sha256(each).digest())
    return _folder() / f"{tier}{'-all' if everything else ''}-{digest.hexdigest()[:24]}"


def _surroundings(tier: str) -> Iterator[bytes]:
    yield f"{sys.version} {platform.machine()} {platform.release()}".encode()
    if mirror := paths.mirror():
        yield (mirror / "INDEX.toml").read_bytes() if (mirror / "INDEX.toml").exists() else str(mirror).encode()
    if tier in tiers.NEED_BUILD:
        yield repr(sorted(images.built().items())).encode()


def _files(tier: str) -> bytes:
    """The digest of all files that it may depend on."""
    digest = hashlib.sha256()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=paths.checkout(),
        capture_output=True,
        check=True,
    ).stdout
    for name in sorted(listed.decode().split("\0")):
        path = paths.checkout() / name
        if name and path.is_file() and _matters(name, tier):
            digest.update(hashlib.sha256(name.encode() + b"\0" + path.read_bytes()).digest())
    return digest.digest()


def _matters(name: str, tier: str) -> bool:
    parts = name.split("/")
    another = parts[0] == "tests" and parts[1] in tiers.TIERS and parts[1] != tier
    return not another and not any(fnmatch.fnmatch(name, pattern) for pattern in NO_INPUTS.get(tier, ()))


def _folder() -> Path:
    return paths.cache() / "proven"
