"""Debian 12's commands, whatever this machine's release: unpacked into a private root inside the cache.

Owns the unpacking. It never installs into the host: a package of the host (another containerd, say) stays as it is, no
service is started, and removing the cache removes all of it. The commands run in the host's file system with the
private root's own C library, which is written into them: no variable leads what they start to it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ml_local import debian_packages, paths
from ml_local.apt import Apt
from ml_local.command import run
from ml_local.errors import LocalError

RELEASE_FILE = Path("/etc/os-release")
# What was tried on each: docs/machines.md.
TRIED = ("debian-12", "debian-13", "ubuntu-22.04", "ubuntu-24.04")
ANY = "ML_PLATFORM_ANY_RELEASE"
FORMAT = 2  # of a private root: another number where the same packages become another one
UNUSED_SECONDS = 14 * 24 * 3600  # after which a private root that no checkout asked for is removed
COMMANDS = (
    "conntrack",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "docker-registry",
    "ip",
    "ip6tables",
    "ip6tables-save",
    "iptables",
    "iptables-legacy",
    "iptables-legacy-save",
    "iptables-save",
    "nft",
    "runc",
)
# Alternatives are made by maintainer scripts, which never run here.
ALTERNATIVES = {
    "iptables": "iptables-nft",
    "iptables-save": "iptables-nft-save",
    "ip6tables": "ip6tables-nft",
    "ip6tables-save": "ip6tables-nft-save",
}
PLUGINS = "usr/lib/cni"
UNUSED = ("python3", "libpython3")  # that packages list and none of these commands runs
# Debian's folders are links into /usr, which an archive that has them as folders would replace.
EXTRACT = (
    'dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2" '
    "--exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/info"
)


def root() -> Path:
    """The private root; its `bin/` has a launcher for every command."""
    return root_of(debian_packages.in_use())


def command(name: str) -> Path:
    """The launcher of one command.

    Raises:
        LocalError: none of the packages has it.
    """
    launcher = root() / "bin" / name
    if not launcher.exists():
        raise LocalError(f"the command {name!r} is not in {root()}; run `make up`, which unpacks it")
    return launcher


def unpack(*, update: bool = False) -> str:
    """Have the private root: the one in use, or with `update` that of the versions which Debian has now.

    Returns:
        What is in use now and what changed, as a sentence.

    Raises:
        LocalError: the release of this machine is not known, or there is no private root yet and a package can't be
            had; the message names it.
    """
    _check_release()
    before = debian_packages.in_use()
    if root().exists() and not update:
        root().touch()
        return f"Debian packages of {before.asked}, {before.age} days ago; `make build UPDATE=1` asks for newer ones"
    try:
        apt = Apt(paths.cache() / "debian" / "apt")
        found = debian_packages.ask(apt)
        if not root_of(found).exists():
            _unpack(apt, found)
    except LocalError as unreachable:
        if not root().exists():
            raise
        return f"Debian packages of {before.asked} go on being used, newer ones can't be had: {unreachable}"
    finally:
        shutil.rmtree(paths.cache() / "debian" / "apt", ignore_errors=True)
    found.write()
    root().touch()
    _forget_unused()
    newer = found.newer(before)
    changes = f"; newer: {', '.join(newer)}" if newer else ""
    return f"Debian packages of {found.asked}{changes}; their versions: {root() / 'packages.txt'}"


def root_of(packages: debian_packages.Packages) -> Path:
    """The private root of those packages."""
    parts = (*packages.root, EXTRACT, *COMMANDS, str(FORMAT))
    return paths.cache() / "debian" / hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


def _unpack(apt: Apt, packages: debian_packages.Packages) -> None:
    target = root_of(packages)
    unfinished = target.with_suffix(".partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    files = unfinished / "root"
    for folder in ("bin", "sbin", "lib", "lib64"):
        (files / "usr" / folder).mkdir(parents=True)
        (files / folder).symlink_to(f"usr/{folder}")
    log = paths.cache() / "logs" / "debian.log"
    for archive in apt.download(packages.root):
        if not archive.name.startswith(UNUSED):
            run(["sh", "-c", EXTRACT, "sh", archive, files], log=log)
    run(["find", files, "-perm", "/6000", "-exec", "chmod", "ug-s", "{}", "+"], log=log)  # nobody becomes root by them
    lead_inside(files)
    settle(unfinished, target)
    (unfinished / "packages.txt").write_text("\n".join(packages.root) + "\n")
    unfinished.rename(target)


def lead_inside(files: Path) -> None:
    """Have the links of an unpacked root lead to its own files where they lead to the host's: /sbin/ip to /bin/ip."""
    for link in list(files.rglob("*")):
        if link.is_symlink() and (target := link.readlink()).is_absolute():
            link.unlink()
            link.symlink_to(os.path.relpath(files / target.relative_to("/"), link.parent))


def settle(unfinished: Path, target: Path) -> None:
    """Make the commands of an unpacked root run from the folder `target`, whichever it was made for before."""
    files, final = unfinished / "root", target.absolute() / "root"
    _write_interpreter(files, final)
    (unfinished / "bin").mkdir(exist_ok=True)
    for name in COMMANDS:
        launcher = unfinished / "bin" / name
        launcher.write_text(_launcher(files, final, name))
        launcher.chmod(0o755)


def _write_interpreter(files: Path, final: Path) -> None:
    """Have the commands started by the private root's own loader, with its libraries and no one else's.

    Args:
        files: the private root.
        final: where it will lie.

    Raises:
        LocalError: one of them is not a file of the private root.
    """
    (loader,) = files.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*")
    programs = {
        path.resolve() for path in [*(_program(files, name) for name in COMMANDS), *(files / PLUGINS).iterdir()]
    }
    if strange := sorted(path for path in programs if not path.is_relative_to(files.resolve())):
        raise LocalError(
            f"{strange[0]} is this machine's own file, and only files of {files} are written: make it anew"
        )
    words: list[str | Path] = [loader, "--library-path", loader.parent, files / "usr/bin/patchelf", "--force-rpath"]
    words += ["--set-rpath", final / loader.parent.relative_to(files)]
    words += ["--set-interpreter", final / loader.relative_to(files)]
    run([*words, *sorted(programs)], log=paths.cache() / "logs" / "debian.log")


def _program(files: Path, name: str) -> Path:
    """The file of a command.

    Raises:
        LocalError: none of the packages has it.
    """
    for folder in ("usr/sbin", "usr/bin"):
        path = files / folder / ALTERNATIVES.get(name, name)
        if path.exists():
            return path
    raise LocalError(f"none of the Debian packages {' '.join(debian_packages.ROOT)} has the command {name!r}")


def _launcher(files: Path, final: Path, name: str) -> str:
    """A script that runs the command with the private root's extensions."""
    (extensions,) = files.glob("usr/lib/*-linux-gnu/xtables")
    return (
        "#!/bin/sh\n"
        f"export XTABLES_LIBDIR={final / extensions.relative_to(files)}\n"
        f'exec {final / _program(files, name).relative_to(files)} "$@"\n'
    )


def _forget_unused() -> None:
    """Remove the private roots of other versions, but those from which something still runs."""
    running = set(_running())
    oldest = time.time() - UNUSED_SECONDS
    for folder in root().parent.iterdir():
        runs = any(path.is_relative_to(folder.resolve()) for path in running)
        if folder.is_dir() and folder != root() and folder.stat().st_mtime < oldest and not runs:
            shutil.rmtree(folder)


def _running() -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*/exe"):
        with suppress(OSError):  # it has ended
            yield process.readlink()


def _check_release() -> None:
    """Refuse a machine on which none of this was tried.

    Raises:
        LocalError: it is of another release; the message says which were tried, and how to try this one.
    """
    text = RELEASE_FILE.read_text() if RELEASE_FILE.exists() else ""
    fields = dict(line.split("=", 1) for line in text.replace('"', "").splitlines() if "=" in line)
    release = f"{fields.get('ID', 'unknown')}-{fields.get('VERSION_ID', '?')}"
    if release not in TRIED and not os.environ.get(ANY):
        raise LocalError(
            f"this machine is {release}; the embedded node was tried on {', '.join(TRIED)}. Use one of them, or an "
            f"existing cluster (README.md, 'Your own cluster'), or try it here all the same: {ANY}=1 make up"
        )
