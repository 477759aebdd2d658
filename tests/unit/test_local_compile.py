"""Go commands for several architectures, as the Containerfile beside the modules has them compiled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ml_local import compile as compiler
from ml_local import toolchains
from ml_local.errors import LocalError
from ml_local.toolchains import Toolchain


def test_each_architecture_has_commands_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(toolchain: Toolchain) -> None:
        assert not toolchain.folder.exists(), "the commands of another architecture would be taken for these"
        (toolchain.folder / "bin").mkdir(parents=True)
        (toolchain.folder / "bin" / "pause").write_text(os.environ["GOARCH"])

    monkeypatch.setattr(toolchains, "build", build)
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOARCH", "amd64")
    compiler.compile_for("pause", tmp_path, ["amd64", "arm64"])
    assert [(tmp_path / each / "pause").read_text() for each in ("amd64", "arm64")] == ["amd64", "arm64"]


def test_an_unknown_module_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"no module 'nginx'; there are kubernetes, etcd"):
        compiler.compile_for("nginx", tmp_path, ["amd64"])
