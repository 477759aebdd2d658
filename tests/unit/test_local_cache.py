"""A start from an archive: what fits comes into the cache beside what is there, and what does not is said."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ml_local import (
    cache,
    cache_archive,
    cache_download,
    debian,
    debian_packages,
    image_builder,
    images,
    layers,
    paths,
    toolchains,
)
from ml_local.errors import LocalError
from ml_workloads.packages import Layer, Packages
from support import oci_images
from support.archives import NEWEST, packed, served, sha256, source, written

THERE = Path("/another/cache")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "here"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(cache_download, "PAUSE", 0.0)
    return tmp_path / "here"


def _pause() -> str:
    (pause,) = (each for each in toolchains.toolchains() if each.name == "pause")
    return f"toolchains/{pause.folder.name}"


def _archive(folder: Path, files: dict[str, str], architecture: str = "") -> Path:
    return packed(folder / "a.tar.gz", folder / "there", files, architecture or platform.machine(), THERE)


def _load(source: Path | str, sha256: str = "") -> list[str]:
    return cache.load(str(source), sha256, lambda _: None)


def test_a_command_of_this_version_is_taken_and_one_of_another_is_named(tmp_path: Path, here: Path) -> None:
    file = _archive(tmp_path, {f"{_pause()}/bin/pause": "ELF", "toolchains/pause-000000000000/bin/pause": "old"})
    lines = _load(file)
    assert (here / _pause() / "bin/pause").read_text() == "ELF"
    assert f"{_pause()}: taken" in lines
    assert any(line.startswith("toolchains/pause-000000000000: of another version") for line in lines)
    assert not (here / "toolchains/pause-000000000000").exists()


def test_what_is_here_is_left_alone(tmp_path: Path, here: Path) -> None:
    (here / _pause() / "bin").mkdir(parents=True)
    (here / _pause() / "bin/pause").write_text("mine")
    assert _load(_archive(tmp_path, {f"{_pause()}/bin/pause": "ELF"})) == [f"{_pause()}: here already"]
    assert (here / _pause() / "bin/pause").read_text() == "mine"


def test_an_archive_of_another_architecture_is_refused(tmp_path: Path, here: Path) -> None:
    with pytest.raises(LocalError, match=r"was made on sparc, and this machine is .*`make up`"):
        _load(_archive(tmp_path, {f"{_pause()}/bin/pause": "ELF"}, "sparc"))
    assert not (here / "toolchains").exists()


def test_a_damaged_archive_leaves_what_was_verified_and_nothing_else(tmp_path: Path, here: Path) -> None:
    file = _archive(tmp_path, {f"{_pause()}/bin/pause": "ELF"})
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(LocalError, match="is damaged"):
        _load(file)
    assert [path for path in here.rglob("*") if path.is_file()] == []


def test_a_file_with_another_digest_is_not_opened(tmp_path: Path, here: Path) -> None:
    file = _archive(tmp_path, {f"{_pause()}/bin/pause": "ELF"})
    with pytest.raises(LocalError, match=rf"has sha256 {sha256(file)}, and CACHE_SHA256 is {'0' * 64}"):
        _load(file, "0" * 64)
    assert not (here / "toolchains").exists()


@pytest.mark.parametrize("digest", ["", "abc", "md5:0"])
def test_a_url_is_used_by_its_digest_only(digest: str) -> None:
    with pytest.raises(LocalError, match=r"CACHE_SHA256 is .*64 hex digits"):
        _load("http://127.0.0.1:1/a.tar.gz", digest)


def test_what_is_neither_a_file_nor_a_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"CACHE is 'ftp://somewhere', which is neither"):
        _load("ftp://somewhere")


def test_an_archive_comes_by_http_once(tmp_path: Path, here: Path) -> None:
    file = _archive(tmp_path, {f"{_pause()}/bin/pause": "ELF"})
    with served(file.read_bytes()) as server:
        assert _load(server.url, f"sha256:{sha256(file)}") == [f"{_pause()}: taken"]
        assert _load(server.url, sha256(file).upper()) == [f"{_pause()}: here already"]
        assert len(server.asked) == 1
        shutil.rmtree(here / "toolchains")
        assert _load(server.url, sha256(file)) == [f"{_pause()}: taken"]
    assert not list(here.rglob("*.tar.gz*"))


def test_too_little_room_is_said_with_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _archive(tmp_path, {f"{_pause()}/bin/pause": "ELF"})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1}))
    with pytest.raises(LocalError, match=r"0\.0 GiB free, and what .* ML_PLATFORM_CACHE=DIR"):
        _load(file)


def test_scripts_name_the_cache_that_they_lie_in(tmp_path: Path, here: Path) -> None:
    script = f"#!/bin/sh\nexport LIBRARIES={THERE}/lib\nexec {THERE}/bin/pause\n"
    _load(_archive(tmp_path, {f"{_pause()}/bin/pause": script, f"{_pause()}/bin/other": f"{THERE}"}))
    assert (here / _pause() / "bin/pause").read_text() == script.replace(str(THERE), str(here))
    assert (here / _pause() / "bin/other").read_text() == str(THERE)


def test_a_python_environment_runs_by_this_machines_interpreter(tmp_path: Path, here: Path) -> None:
    name = f"python/{min(cache._environments())}"
    packages = f"{name}/lib/python{name[7:11]}/site-packages"
    _load(_archive(tmp_path, {f"{packages}/greeting.py": "print('hello')\n", f"{name}/complete": ""}))
    done = subprocess.run([here / name / "bin/python", "-m", "greeting"], capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"


@pytest.mark.parametrize("name", sorted(cache._environments()))
def test_the_bootstrap_takes_an_environment_that_was_imported(here: Path, name: str) -> None:
    environment = here / "python" / name
    (environment / "bin").mkdir(parents=True)
    (environment / "complete").touch()
    (environment / "bin/python").write_text(f"#!/bin/sh\necho {name}\n")
    (environment / "bin/python").chmod(0o755)
    command = [paths.checkout() / "local/bootstrap", "greeting"]
    python = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(command, env=python, capture_output=True, text=True, check=False)
    assert done.stdout == f"{name}\n", done.stderr


def test_the_debian_root_comes_with_the_versions_that_keys_are_made_of(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[Path] = []
    monkeypatch.setattr(debian, "settle", lambda _, target: settled.append(target))
    root = f"debian/{debian.root_of(NEWEST).name}"
    assert f"{root}: taken" in _load(_archive(tmp_path, {f"{root}/root/usr/bin/runc": "ELF"}))
    assert debian_packages.in_use() == NEWEST
    assert debian.root() == here / root == settled[0]
    assert (debian.root() / "root/usr/bin/runc").read_text() == "ELF"


def test_the_debian_root_that_is_here_stays_the_one_in_use(tmp_path: Path, here: Path) -> None:
    mine = replace(NEWEST, root=("runc=2",))
    mine.write()
    root = f"debian/{debian.root_of(NEWEST).name}"
    lines = _load(_archive(tmp_path, {f"{root}/root/usr/bin/runc": "ELF"}))
    assert lines[0].startswith(f"{root}: of another version")
    assert debian_packages.in_use() == mine
    assert not (here / root).exists()


def test_images_come_beside_those_that_are_here(tmp_path: Path, here: Path) -> None:
    mine, theirs = image_builder.cached(), image_builder.Builder(tmp_path / "theirs")
    held = oci_images.image(mine.layout, {"a": b"a"})
    mine.adopt(tmp_path / "nothing", {"base-1": held})
    digest = oci_images.image(theirs.layout, {"a": b"a"}, {"b": b"b"})
    part = source(theirs.folder, "oci", {"ml-2": digest})
    renamed = cache_archive.Source(path="images/2", folder=part.folder, files=part.files, holds=part.holds)
    written(tmp_path / "a.tar.gz", [renamed], platform.machine(), THERE)
    assert _load(tmp_path / "a.tar.gz") == ["images/2: taken"]
    assert mine.layout.find("ml-2") == mine.marker("ml-2").read_text() == digest
    assert mine.layout.find("base-1") == held
    assert all(mine.layout.blob(each).exists() for each in (*mine.layout.blobs(digest), *mine.layout.blobs(held)))
    assert json.loads((mine.layout.folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert _load(tmp_path / "a.tar.gz") == ["images/2: here already"]


def test_a_layer_is_exported_as_every_image_is(here: Path) -> None:
    packages = Packages(debian=("python3-torch",))
    name = packages.image("training")
    layers.keep({name: Layer(base="training", packages=packages)})
    with pytest.raises(LocalError, match=f"the image {name} is not built; run `make build`"):
        cache._images([name])
    mine, key = image_builder.cached(), images.reference(name).replace(":", "-")
    digest = oci_images.image(mine.layout, {"a": b"a"})
    mine.adopt(here / "nothing", {key: digest})
    found = cache._images([name])
    assert found.holds == {key: digest}
    assert {mine.layout.folder / file for file in found.files} >= {*map(mine.layout.blob, mine.layout.blobs(digest))}


def test_an_import_needs_no_python_package() -> None:
    code = "import sys, ml_local.cache; print([n for n, m in sys.modules.items() if 'site-packages' in repr(m)])"
    environment = {"PYTHONPATH": str(paths.checkout() / "local"), "PATH": "/usr/bin:/bin"}
    command = [shutil.which("python3") or "python3", "-S", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
