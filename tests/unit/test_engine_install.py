"""Where the engine's plugins are put, and that an official one is left alone."""

import os
import subprocess
from pathlib import Path

import pytest
from ml_local import engine

pytestmark = pytest.mark.unit


def test_everything_lies_where_the_command_looks(tmp_path: Path) -> None:
    engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC)
    plugin = tmp_path / "home" / "plugins" / engine.KUBERNETES / "pulumi-resource-kubernetes"
    launchers = [tmp_path / "bin" / name for name in ("pulumi-language-python", "pulumi-resource-pulumi-python")]
    for path in (*launchers, plugin):
        assert os.access(path, os.X_OK), path
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0
    assert str(tmp_path / engine.EXEC) in launchers[0].read_text()
    assert (tmp_path / "home" / "logs").is_file(), "where the command would make a folder of logs"


def test_again_writes_nothing(tmp_path: Path) -> None:
    def times() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC)
    before = times()
    engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC)
    assert times() == before


def test_an_official_plugin_is_left_alone_and_an_old_one_of_ours_is_not(tmp_path: Path) -> None:
    plugin = tmp_path / "home" / "plugins" / engine.KUBERNETES / "pulumi-resource-kubernetes"
    plugin.parent.mkdir(parents=True)
    plugin.write_bytes(b"\x7fELF official")
    engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC)
    assert plugin.read_bytes() == b"\x7fELF official"

    plugin.write_text(f"#!/bin/sh\n{engine.MARK}\nexec /gone/python\n")
    engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC)
    assert "/gone/python" not in plugin.read_text()


def test_an_official_plugin_that_this_user_has_is_taken_while_it_is_there(tmp_path: Path) -> None:
    official, plugin = (
        tmp_path / home / "plugins" / engine.KUBERNETES / "pulumi-resource-kubernetes" for home in ("theirs", "home")
    )

    def install() -> str:
        engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC, official=tmp_path / "theirs")
        return plugin.read_text()

    assert engine.MARK in install()
    official.parent.mkdir(parents=True)
    official.write_text("official")
    assert install() == "official"
    assert not plugin.parent.is_symlink(), "the engine looks into no folder that is a link"
    official.unlink()
    assert engine.MARK in install()


def test_launchers_run_the_code_of_the_checkout_that_the_caller_names(tmp_path: Path) -> None:
    """Another checkout that was there last, and is gone, is in nobody's way."""
    engine.install(tmp_path / "bin", tmp_path / "home", tmp_path / engine.EXEC)
    plugin = tmp_path / "home" / "plugins" / engine.KUBERNETES / "pulumi-resource-kubernetes"
    for checkout in ("one", "two"):
        package = tmp_path / checkout / "local/engine/kubernetes_provider"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(f"def main() -> None:\n    print('{checkout}')\n")
    for checkout in ("one", "two"):
        environment = {**os.environ, engine.CHECKOUT: str(tmp_path / checkout)}
        done = subprocess.run([plugin], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == f"{checkout}\n"
    gone = {**os.environ, engine.CHECKOUT: str(tmp_path / "gone")}
    done = subprocess.run([plugin], env=gone, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{tmp_path}/gone is no checkout of this project" in done.stderr
