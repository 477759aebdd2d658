"""What `make` refuses, each before anything is done, with what was found and the way out."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_local import debian, paths, toolchains
from ml_local.errors import LocalError
from support import machine

NOBODY = 65534


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_only_root_can_bring_up_a_node() -> None:
    done = subprocess.run(
        ["make", "up"], cwd=paths.checkout(), user=NOBODY, group=NOBODY, capture_output=True, text=True,
        env={**os.environ, "HOME": "/nonexistent"}, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "  - root, which starts a kubelet and a container runtime" in said
    assert "Your own cluster" in said


@pytest.mark.parametrize("variable", ["ML_PLATFORM_CACHE", "ML_PLATFORM_STATE"])
def test_a_disk_that_is_too_small_is_named_with_what_is_needed(variable: str, tiny_disk: Path) -> None:
    done = machine.make("up", env={variable: str(tiny_disk)})
    assert done.returncode != 0
    assert str(tiny_disk) in done.stdout
    assert "GiB free" in done.stdout
    assert variable in done.stdout


def test_a_package_registry_of_python_that_is_away_is_named(tmp_path: Path) -> None:
    away = {"ML_PLATFORM_CACHE": str(tmp_path), "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    done = machine.make("up", env={**away, "PIP_NO_CACHE_DIR": "1", "PIP_FIND_LINKS": ""})
    assert done.returncode != 0
    assert "the Python package registry must answer: try `pip download pulumi`" in done.stdout


def test_a_module_registry_of_go_that_is_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setenv("GOPROXY", "http://127.0.0.1:9")
    versitygw = next(t for t in toolchains.toolchains() if t.name == "versitygw")
    with pytest.raises(LocalError, match="go mod download") as refused:
        toolchains.build(versitygw)
    assert "127.0.0.1:9" in str(refused.value)
    assert not versitygw.built


def test_a_package_registry_of_debian_that_is_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "apt.conf"
    config.write_text('Acquire::http::Proxy "http://127.0.0.1:9"; Acquire::https::Proxy "http://127.0.0.1:9";')
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setenv("APT_CONFIG", str(config))
    with pytest.raises(LocalError, match="Debian package registry must answer"):
        debian.unpack()
    assert not debian.root().exists()


def test_a_port_that_is_taken_is_named_and_the_data_survive(mended: dict[str, object]) -> None:
    assert machine.make("stop").returncode == 0
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 2379))
        taken.listen()
        done = machine.make("up")
    assert done.returncode != 0
    taken_by = f"tcp port 2379 on 127.0.0.1, which etcd needs: Address already in use by python (pid {os.getpid()})"
    assert taken_by in done.stdout
    again = machine.make("up")
    assert again.returncode == 0, again.stdout
    assert "created" not in again.stdout


def test_an_unknown_stack_is_refused(platform: dict[str, object]) -> None:
    done = machine.tool("pulumi", "up", "--stack", "mars", "--yes", "--non-interactive")
    assert done.returncode != 0
    assert "mars" in done.stdout
