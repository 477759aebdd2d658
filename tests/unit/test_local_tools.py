"""Finding, building and refusing commands."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ml_local import toolchains
from ml_local.command import run
from ml_local.errors import LocalError
from ml_local.node import daemons
from ml_local.node.layout import Layout


def test_every_toolchain_has_a_committed_module_with_sums() -> None:
    for toolchain in toolchains.toolchains():
        assert (toolchain.source / "go.mod").exists(), toolchain.name
        assert (toolchain.source / "go.sum").exists() or toolchain.name == "pause"


def test_commands_have_unique_names() -> None:
    names = [command for toolchain in toolchains.toolchains() for command in toolchain.commands]
    assert len(names) == len(set(names))
    assert {"etcd", "kubelet", "pulumi", "traefik"} <= set(names)


def test_a_changed_module_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = next(t for t in toolchains.toolchains() if t.name == "pause")
    shutil.copytree(toolchains.sources(), tmp_path / "toolchains")
    before = pause.folder
    monkeypatch.setattr(toolchains, "sources", lambda: tmp_path / "toolchains")
    assert pause.folder == before
    (tmp_path / "toolchains/pause/main.go").write_text("package main\n")
    assert pause.folder != before


def test_the_node_is_built_always_and_what_else_runs_when_it_is_needed() -> None:
    alone = {toolchain.name for toolchain in toolchains.needed([])}
    assert alone == {"kubernetes", "etcd", "coredns", "pause", "pulumi"}
    assert {toolchain.name for toolchain in toolchains.needed(["pilot-agent", "queue"])} - alone == {"istio", "knative"}


def test_a_file_of_a_module_lies_beside_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "toolchains" / "greeter"
    (module / "share").mkdir(parents=True)
    (module / "share" / "greeting.json").write_text("{}")
    monkeypatch.setattr(toolchains, "sources", lambda: tmp_path / "toolchains")
    monkeypatch.setattr(toolchains, "go", _fake_go(tmp_path, module))
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    plain = toolchains.Toolchain(name="greeter", packages=(".",))
    with_file = replace(plain, files={"example.com/greeter": "share/greeting.json"})
    toolchains.build(with_file)
    assert (with_file.folder / "bin" / "greeting.json").read_text() == "{}"
    assert with_file.folder != plain.folder
    assert not plain.built


def test_a_command_does_not_know_where_and_at_which_commit_it_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchains, "go", _fake_go(tmp_path, tmp_path))
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    toolchains.build(next(each for each in toolchains.toolchains() if each.name == "pause"))
    (log,) = (tmp_path / "cache/logs").iterdir()
    assert {"-trimpath", "-buildvcs=false"} < set(log.read_text().split())


def _fake_go(folder: Path, module: Path) -> Callable[[], Path]:
    """A Go that builds nothing and has every module in one place."""
    script = folder / "go"
    script.write_text(f"#!/bin/sh\n[ $1 != list ] || echo {module}\n")
    script.chmod(0o755)
    return lambda: script


def test_an_unknown_command_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LocalError, match=r"no toolchain builds 'kubectx'; known: .*kubectl"):
        toolchains.binary("kubectx")


def test_an_old_go_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.19.8\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    toolchains.go.cache_clear()
    with pytest.raises(LocalError, match=r"go1\.19\.8; go1\.26 or newer"):
        toolchains.go()
    toolchains.go.cache_clear()


def test_a_missing_command_is_named_with_the_hint() -> None:
    with pytest.raises(LocalError, match=r"'no-such-command' is not there\. Install it"):
        run(["no-such-command"], hint="Install it")


def test_a_failed_command_shows_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"(?s)failed \(3\):.*it broke.*Try again"):
        run(["sh", "-c", "echo it broke; exit 3"], log=tmp_path / "log", hint="Try again")


def test_a_number_that_the_kernel_gave_to_another_process_is_not_ours(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    records = layout.run / "daemons"
    records.mkdir(parents=True)
    (records / "etcd.json").write_text('{"pid": 1, "started": "another boot/1", "fingerprint": ""}')
    assert not daemons.alive(layout, "etcd")


def test_help_needs_no_node() -> None:
    done = run([sys.executable, "-m", "ml_local", "--help"])
    for command in ("up", "down", "stop", "status", "predict", "env"):
        assert command in done.stdout
