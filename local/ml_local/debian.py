"""Debian packages, unpacked into a private root inside the cache.

Owns the list of packages and their unpacking. It never installs into the host: a package of the host
(another containerd, say) stays as it is, no service is started, and removing the cache removes all of it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from functools import cache as memoize
from pathlib import Path

from ml_local import paths
from ml_local.command import run
from ml_local.errors import LocalError

PACKAGES = (
    "buildah",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "docker-registry",
    "iproute2",
    "iptables",
    "mmdebstrap",
    "nftables",
    "runc",
)
# Alternatives are made by maintainer scripts, which never run here.
ALTERNATIVES = {
    "iptables": "iptables-nft",
    "iptables-save": "iptables-nft-save",
    "ip6tables": "ip6tables-nft",
    "ip6tables-save": "ip6tables-nft-save",
}
# The host's C library must match its own loader; Python and perl-base are the host's business too.
HOST_OWNED = ("libc6_", "libc-bin_", "python3", "libpython3")


def root() -> Path:
    """The private root; its `bin/` has a launcher for every command."""
    key = hashlib.sha256(" ".join((*PACKAGES, _release())).encode()).hexdigest()[:12]
    return paths.cache() / "debian" / key


def command(name: str) -> Path:
    """The launcher of one command.

    Raises:
        LocalError: none of the packages has it.
    """
    launcher = root() / "bin" / name
    if not launcher.exists():
        raise LocalError(f"the command {name!r} is not in {root()}; run `make up`, which unpacks it")
    return launcher


def unpack() -> None:
    """Download and unpack the packages with all they need, once.

    Raises:
        LocalError: a package can't be had; the message names it.
    """
    if root().exists():
        return
    partial = root().with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial", "root"):
        (partial / folder).mkdir(parents=True)
    (partial / "status").touch()
    options = _apt_options(partial)
    hint = (
        "The Debian package registry must answer: look at /etc/apt/sources.list and try "
        f"`apt-get download {PACKAGES[0]}`."
    )
    log = paths.cache() / "logs" / "debian.log"
    run(["apt-get", *options, "-qq", "update"], log=log, hint=hint)
    install = ["apt-get", *options, "-qq", "-y", "--no-install-recommends", "--download-only", "install"]
    run([*install, *PACKAGES], log=log, hint=hint)
    for archive in sorted((partial / "archives").glob("*.deb")):
        if not archive.name.startswith(HOST_OWNED):
            run(["dpkg-deb", "--extract", archive, partial / "root"], log=log)
    _write_launchers(partial)
    for folder in ("lists", "archives"):
        shutil.rmtree(partial / folder)
    partial.rename(root())


def _apt_options(partial: Path) -> list[str]:
    settings = {
        "Dir::State::lists": partial / "lists",
        "Dir::State::status": partial / "status",
        "Dir::Cache::archives": partial / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _write_launchers(partial: Path) -> None:
    (partial / "bin").mkdir()
    found = {
        path.name: path.relative_to(partial)
        for folder in ("usr/sbin", "usr/bin", "sbin", "bin")
        for path in sorted((partial / "root" / folder).glob("*"))
        if not path.is_dir()
    }
    for name in _commands(found):
        launcher = partial / "bin" / name
        launcher.write_text(_launcher(partial, found[ALTERNATIVES.get(name, name)]))
        launcher.chmod(0o755)


def _commands(found: Iterable[str]) -> list[str]:
    prefixes = ("containerd", "docker-registry")
    names = {"bridge", "buildah", "conntrack", "ctr", "ip", "mmdebstrap", "nft", "runc"}
    return [*ALTERNATIVES, *(name for name in found if name in names or name.startswith(prefixes))]


def _launcher(partial: Path, target: Path) -> str:
    """A script that runs the command with the private root's libraries and no one else's."""

    def search(*patterns: str) -> str:
        matches = [path for pattern in patterns for path in sorted(partial.glob(pattern))]
        return ":".join(str(root() / path.relative_to(partial)) for path in matches)

    perl = search("root/usr/share/perl5", "root/usr/share/perl/5.*", "root/usr/lib/*/perl*/5.*")
    interpreter = f"{root()}/root/usr/bin/perl " if target.name == "mmdebstrap" else ""
    return (
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH={search('root/usr/lib/*-linux-gnu', 'root/lib/*-linux-gnu')}\n"
        f"export XTABLES_LIBDIR={search('root/usr/lib/*-linux-gnu/xtables')}\n"
        f"export PERL5LIB={perl}:{search('root/usr/lib/*/perl-base')}\n"
        f'exec {interpreter}{root() / target} "$@"\n'
    )


@memoize
def _release() -> str:
    """Such as `debian-12`; the packages of one release don't run on another.

    Raises:
        LocalError: this is not Debian 12.
    """
    text = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    release = f"{fields.get('ID', 'unknown')}-{fields.get('VERSION_ID', '?')}".replace('"', "")
    if release != "debian-12":
        raise LocalError(
            f"this machine is {release}; the embedded node is built from Debian 12 packages. "
            "Use Debian 12, or an existing cluster: README.md, 'Your own cluster'."
        )
    return release
