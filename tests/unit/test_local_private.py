"""What of the node's files others can read, and what becomes of a state folder that is somebody's."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from ml_local import debian, paths, private
from ml_local.errors import LocalError
from ml_local.node import config, node, pki
from ml_local.node.layout import Layout


def _loose(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


@pytest.mark.parametrize("before", [None, 0o700, 0o755])
def test_the_state_folder_is_its_owners_alone_from_its_beginning(before: int | None, tmp_path: Path) -> None:
    state = tmp_path / "state"
    if before:
        state.mkdir(before)
    private.claim(state)
    assert not _loose(state)


def test_a_state_folder_that_was_opened_is_closed_again(tmp_path: Path) -> None:
    private.claim(tmp_path / "state")
    (tmp_path / "state" / "data").mkdir()
    (tmp_path / "state").chmod(0o755)
    private.claim(tmp_path / "state")
    assert not _loose(tmp_path / "state")


def test_no_file_that_the_daemons_read_is_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "root", lambda: tmp_path / "debian")
    layout = Layout(tmp_path / "state")
    pki.write(layout)
    config.write(layout)
    files = [path for path in layout.state.rglob("*") if path.is_file()]
    assert {"kubelet.yaml", "hosts.toml", "etcd.key", "admin.kubeconfig"} <= {path.name for path in files}
    assert [path for path in files if _loose(path)] == []


def test_a_folder_with_somebodys_files_is_neither_taken_nor_removed(tmp_path: Path) -> None:
    theirs = tmp_path / "thesis.tex"
    theirs.write_text("a year of work")
    with pytest.raises(LocalError, match=r"holds thesis\.tex.*ML_PLATFORM_STATE=DIR"):
        private.claim(tmp_path)
    with pytest.raises(LocalError, match=r"holds thesis\.tex"):
        node.destroy(Layout(tmp_path))
    assert theirs.read_text() == "a year of work"


def test_the_usual_folder_is_ours_whatever_a_killed_start_left_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    (tmp_path / "run").mkdir()
    private.claim(tmp_path)
    assert not _loose(tmp_path)


def test_a_private_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    private.write_private(path, "the first")

    def power_fails(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", power_fails)
        with pytest.raises(KeyboardInterrupt):
            private.write_private(path, "the second")
    assert path.read_text() == "the first"
    private.write_private(path, "the second")
    assert path.read_text() == "the second"
    assert not _loose(path)
