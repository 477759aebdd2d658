"""What the node needs of a kernel, on stand-ins for /proc; and what the kubelet has set is set back."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_local import paths
from ml_local.errors import LocalError
from ml_local.node import host, kernel

OVERLAY = "nodev\tproc\nnodev\toverlay\n\text4\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Of a kernel with all that is needed, and with settings of its own."""
    folder = tmp_path / "proc"
    (folder / "sys/net/bridge").mkdir(parents=True)
    (folder / "sys/kernel").mkdir()
    (folder / "sys/kernel/osrelease").write_text("6.1.0-37-amd64\n")
    (folder / "filesystems").write_text(OVERLAY)
    for name in kernel.KUBELET_SETTINGS:
        (folder / "sys" / name).parent.mkdir(exist_ok=True)
        (folder / "sys" / name).write_text("5\n")
    return folder


def _modprobe(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """The host's own command, and no other."""
    folder.mkdir()
    (folder / "modprobe").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "modprobe").chmod(0o755)
    monkeypatch.setattr(kernel, "SEARCH", str(folder))


def test_a_kernel_that_has_all_is_asked_for_nothing(
    proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _modprobe(monkeypatch, tmp_path / "bin", f"touch {tmp_path}/asked")
    assert kernel.lacking(proc) == []
    kernel.load(proc)
    assert not (tmp_path / "asked").exists()


def test_the_modules_of_a_stock_machine_are_loaded(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (proc / "sys/net/bridge").rmdir()
    (proc / "filesystems").write_text("nodev\tproc\n")
    loads = f"mkdir {proc}/sys/net/bridge; printf '\\toverlay\\n' >> {proc}/filesystems"
    _modprobe(
        monkeypatch,
        tmp_path / "bin",
        f'[ "$1" = --dry-run ] || [ "$*" != "--all br_netfilter overlay" ] || {{ {loads}; }}',
    )
    assert kernel.lacking(proc) == []
    assert not (proc / "sys/net/bridge").exists(), "looking loads nothing"
    kernel.load(proc)
    assert (proc / "sys/net/bridge").exists()


@pytest.mark.parametrize("kmod", [True, False])
def test_a_kernel_without_the_module_is_named_with_what_to_install(
    kmod: bool, proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (proc / "sys/net/bridge").rmdir()
    _modprobe(monkeypatch, tmp_path / "bin", "exit 1")
    if not kmod:
        monkeypatch.setattr(kernel, "SEARCH", str(tmp_path / "none"))
    (said,) = kernel.lacking(proc)
    assert "6.1.0-37-amd64 has no br_netfilter" in said
    assert "kmod" in said
    with pytest.raises(LocalError, match="br_netfilter"):
        kernel.load(proc)


def test_settings_of_the_kubelet_are_set_back_and_those_of_others_stay(
    proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "machine", lambda: tmp_path / "machine")
    host.take(tmp_path / "state", [], [], proc)
    for name, value in kernel.KUBELET_SETTINGS.items():
        (proc / "sys" / name).write_text(f"{value}\n")
    host.take(tmp_path / "state", [], [], proc)  # the next `make up`
    (proc / "sys/kernel/panic").write_text("60\n")
    host.release(proc)
    assert kernel.settings(proc) == {**dict.fromkeys(kernel.KUBELET_SETTINGS, "5"), "kernel/panic": "60"}


def test_without_a_record_no_setting_is_changed(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "machine", lambda: tmp_path / "machine")
    (proc / "sys/kernel/panic").write_text("10\n")
    before = kernel.settings(proc)
    host.release(proc)
    assert kernel.settings(proc) == before
