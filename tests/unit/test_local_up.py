"""The order of `make up`'s builds, and what becomes of them when one fails."""

from __future__ import annotations

import threading
from collections.abc import Collection
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from ml_local import debian, images, lock, toolchains, up
from ml_local.errors import LocalError
from ml_local.toolchains import Toolchain


class Machine:
    """Stands in for all that builds, and notes what was asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failing: str = "") -> None:
        self.failing, self.begun = failing, list[str]()
        self.trimmed = False
        known = [SimpleNamespace(built=False, name=name, commands=(name,)) for name in ("pause", "versitygw", "jobset")]
        monkeypatch.setattr(lock, "_held", lambda *_, **__: nullcontext())
        monkeypatch.setattr(debian, "unpack", lambda *, update: f"update: {update}")
        monkeypatch.setattr(toolchains, "needed", lambda commands: [t for t in known if t.name in commands])
        monkeypatch.setattr(toolchains, "fetch", lambda toolchain: self._work(f"sources of {toolchain.name}"))
        monkeypatch.setattr(toolchains, "build", self._build)
        monkeypatch.setattr(toolchains, "trim", lambda: setattr(self, "trimmed", True))
        monkeypatch.setattr(images, "build", self._images)

    def _build(self, toolchain: Toolchain) -> None:
        self._work(f"command {toolchain.name}")

    def _images(self, names: Collection[str], _: object) -> None:
        for name in names:
            self._work(f"image {name}")

    def _work(self, name: str) -> None:
        self.begun.append(name)
        if name == self.failing:
            raise LocalError(f"{name}: the disk is full")


def test_an_image_is_built_after_its_base_and_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    up.build(["pause", "versitygw"])
    place = machine.begun.index
    assert place("image base") < place("image versitygw") > place("command versitygw")
    assert place("image pause") > place("command pause")
    assert {"sources of pause", "sources of versitygw"} < set(machine.begun)
    assert not {"command jobset", "sources of jobset", "image jobset"} & set(machine.begun)
    assert machine.trimmed


@pytest.mark.parametrize("failing", ["command pause", "image base", "sources of pause", "image jobset"])
def test_what_fails_is_said_and_no_thread_is_left(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, failing)
    with pytest.raises(LocalError, match=f"{failing}: the disk is full"):
        up.build(["pause", "versitygw", "jobset"])
    assert not machine.trimmed
    assert [each.name for each in threading.enumerate() if each.name.startswith("ThreadPoolExecutor")] == []


def test_after_a_failed_command_no_other_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "command pause")
    with pytest.raises(LocalError):
        up.build(["pause", "versitygw"])
    assert "command versitygw" not in machine.begun
    assert "image versitygw" not in machine.begun
