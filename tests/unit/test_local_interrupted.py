"""An update that Ctrl-C has ended: the next one looks at the cluster first, and the one after that does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_local import stack
from ml_local.errors import LocalError
from ml_local.node.layout import Layout


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What updates are made, of a stack whose state knows nothing of what was cut short."""
    made: list[str] = []
    (tmp_path / "pulumi").mkdir()
    monkeypatch.setattr(stack, "_deployment", lambda _: {})
    monkeypatch.setattr(stack, "_recover", lambda *_: made.append("recovered"))
    monkeypatch.setattr(stack, "_follow", lambda *_: made.append("plain"))
    return made


def up(folder: Path) -> None:
    stack.up(Layout(state=folder), lambda _: None)


def end_by(failure: BaseException, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def follow(*_: Any) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(stack, "_follow", follow)
        with pytest.raises(type(failure)):
            up(folder)


def test_after_an_interrupt_the_next_update_looks_at_the_cluster_first(
    done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_by(KeyboardInterrupt(), monkeypatch, tmp_path)
    up(tmp_path)
    up(tmp_path)
    assert done == ["recovered", "plain"]


def test_after_a_failure_it_goes_on_from_its_state(
    done: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_by(LocalError("a policy refuses it"), monkeypatch, tmp_path)
    up(tmp_path)
    assert done == ["plain"]
