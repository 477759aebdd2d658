"""Which Debian packages are in use, when newer ones are taken, and on which machines."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ml_local import apt_sources, debian, debian_packages, paths
from ml_local.apt import Apt
from ml_local.errors import LocalError

# Offers each package that it is asked for in the version that a file names; without that file it is away.
APT_GET = """#!/bin/sh
[ -f {folder}/version ] || {{ echo 'E: Failed to fetch http://mirror/debian' >&2; exit 100; }}
version=$(cat {folder}/version)
for word; do
  case "$word" in -* | *=* | install | update) ;; *) echo "Inst $word ($version Debian:12 [amd64])" ;; esac
done
"""
# Is vouched for by a key that only the package of the release before has; a machine's own package is older still.
NEWER_KEYS = """#!/bin/sh
case "$*" in
  *--extract*)
    keys=$3{keyring}
    mkdir -p "${{keys%/*}}"
    if grep -qs bullseye "${{2%/*}}/sources.list"; then echo new > "$keys"; else echo old > "$keys"; fi ;;
  *download*) touch debian-archive-keyring_1_all.deb ;;
  *update*) if grep -qs bookworm sources.list && ! grep -q new keyring.gpg; then echo NO_PUBKEY 1 >&2; exit 100; fi ;;
esac
"""


class Mirror:
    """Debian as apt sees it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def offers(self, version: str) -> None:
        """Have every package in this version."""
        (self._folder / "version").write_text(version)

    def is_away(self) -> None:
        """Answer nothing."""
        (self._folder / "version").unlink(missing_ok=True)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """A mirror that is away, on a machine with an empty cache."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "apt-get").write_text(APT_GET.format(folder=folder))
    (folder / "apt-get").chmod(0o755)
    (folder / "keys").touch()
    monkeypatch.setattr(apt_sources, "KEYRING", folder / "keys")
    monkeypatch.setenv("PATH", f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin")
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(apt_sources.MIRROR, "http://mirror/debian")
    monkeypatch.setenv(debian.ANY, "1")
    return Mirror(folder)


def unpacked(mirror: Mirror, version: str) -> Path:
    """The private root of that version, as if it had been unpacked, and in use."""
    mirror.offers(version)
    debian_packages.ask(Apt(paths.cache() / "debian" / "apt")).write()
    debian.root().mkdir(parents=True)
    return debian.root()


def test_all_that_an_image_installs_is_asked_for(mirror: Mirror, tmp_path: Path) -> None:
    mirror.offers("1")
    found = debian_packages.ask(Apt(tmp_path / "apt"))
    assert "runc=1" in found.root
    assert found.images["postgres"] == ("postgresql-15=1", "tini=1")
    assert {"maven=1", "openjdk-17-jre-headless=1", "procps=1"} < set(found.images["spark"])
    assert found.images.keys() == {"debian", "base", "ml", "postgres", "envoy", "spark"}


@pytest.mark.parametrize("has_old_keys", [True, False])
def test_a_machine_with_older_keys_gets_the_newer_ones_by_those_that_it_trusts(
    has_old_keys: bool, mirror: Mirror, tmp_path: Path
) -> None:
    for command in ("apt-get", "dpkg-deb"):
        (tmp_path / "mirror" / command).write_text(NEWER_KEYS.format(keyring=apt_sources.KEYRING))
        (tmp_path / "mirror" / command).chmod(0o755)
    apt_sources.KEYRING.write_text("old")
    if not has_old_keys:
        apt_sources.KEYRING.unlink()
    Apt(tmp_path / "apt").update()
    assert (tmp_path / "apt/keyring.gpg").read_text() == "new\n"
    assert "bullseye" not in (tmp_path / "apt/sources.list").read_text()


def test_an_update_of_a_package_is_another_private_root(mirror: Mirror) -> None:
    new = unpacked(mirror, "2")
    old = unpacked(mirror, "1")
    mirror.offers("2")
    said = debian.unpack(update=True)
    assert "runc 1 -> 2" in said
    assert debian.root() == new
    assert old.exists()  # another checkout may use it


def test_what_is_in_use_stays_until_newer_packages_are_asked_for(mirror: Mirror) -> None:
    old = unpacked(mirror, "1")
    mirror.is_away()
    assert "`make build UPDATE=1` asks for newer ones" in debian.unpack()
    assert debian.root() == old


def test_without_a_network_what_is_in_use_goes_on_being_used_and_that_is_said(mirror: Mirror) -> None:
    old = unpacked(mirror, "1")
    mirror.is_away()
    said = debian.unpack(update=True)
    assert "go on being used" in said
    assert "E: Failed to fetch http://mirror/debian" in said
    assert debian.root() == old
    assert debian_packages.in_use().root


def test_the_first_time_a_mirror_must_answer(mirror: Mirror) -> None:
    with pytest.raises(LocalError, match=r"(?s)Failed to fetch.*ML_PLATFORM_DEBIAN_MIRROR"):
        debian.unpack()
    assert not debian.root().exists()


def test_a_private_root_is_kept_while_something_runs_from_it_and_removed_when_long_unused(mirror: Mirror) -> None:
    unpacked(mirror, "2")
    old = unpacked(mirror, "1")
    shutil.copy(shutil.which("sleep") or "/bin/sleep", old / "containerd-shim")
    os.utime(old, (0, 0))
    mirror.offers("2")
    with subprocess.Popen([old / "containerd-shim", "60"]) as running:
        debian.unpack(update=True)
        assert old.exists()
        running.kill()
    debian.unpack(update=True)
    assert not old.exists()
    assert debian.root().exists()


@pytest.mark.parametrize(
    ("release", "known"),
    [
        ('ID=debian\nVERSION_ID="12"\n', True),
        ('ID=debian\nVERSION_ID="13"\n', True),
        ('ID=ubuntu\nVERSION_ID="22.04"\n', True),
        ('ID=ubuntu\nVERSION_ID="24.04"\n', True),
        ('ID=ubuntu\nVERSION_ID="20.04"\n', False),
        ("ID=debian\n", False),  # of no release yet
        ("ID=alpine\nVERSION_ID=3.20\n", False),
        ("", False),
    ],
)
def test_a_release_that_is_not_known_is_refused_with_those_that_are(
    release: str, known: bool, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked(mirror, "1")
    (tmp_path / "os-release").write_text(release)
    monkeypatch.setattr(debian, "RELEASE_FILE", tmp_path / "os-release")
    assert debian.unpack()  # whoever wants to try it
    monkeypatch.delenv(debian.ANY)
    if known:
        assert debian.unpack()
        return
    with pytest.raises(LocalError, match=r"tried on debian-12, .*existing cluster.*ML_PLATFORM_ANY_RELEASE=1 make up"):
        debian.unpack()


def made_up_root(files: Path) -> None:
    """A private root in which each command and a plugin is a file, and the loader writes down what it is to run."""
    libraries, commands, plugins = files / "usr/lib/x86_64-linux-gnu", files / "usr/bin", files / debian.PLUGINS
    for folder in (libraries / "xtables", commands, plugins):
        folder.mkdir(parents=True)
    (libraries / "ld-linux-x86-64.so.2").write_text(f'#!/bin/sh\necho "$@" >> {files.parent}/ran\n')
    (libraries / "ld-linux-x86-64.so.2").chmod(0o755)
    for name in debian.COMMANDS:
        (commands / debian.ALTERNATIVES.get(name, name)).touch()
    (plugins / "bridge").touch()


@pytest.mark.parametrize("name", ["usr/bin/ip", f"{debian.PLUGINS}/bridge"])
def test_a_command_that_a_package_links_to_by_its_whole_path_is_the_private_roots_own(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    files, of_host = tmp_path / "root", tmp_path / "of-host" / Path(name).name
    made_up_root(files)
    for place in (of_host, files / of_host.relative_to("/")):
        place.parent.mkdir(parents=True)
        place.touch()
    (files / name).unlink()
    (files / name).symlink_to(of_host)
    with pytest.raises(LocalError, match=f"{of_host} is this machine's own file"):
        debian.settle(tmp_path, tmp_path / "settled")
    assert not (tmp_path / "ran").exists()
    debian.lead_inside(files)
    debian.settle(tmp_path, tmp_path / "settled")
    written = (tmp_path / "ran").read_text().split()
    assert str(files / of_host.relative_to("/")) in written
    assert str(of_host) not in written
