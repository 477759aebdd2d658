"""The shares of the chain from raw rows to an answer, as the cluster's objects tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from ml_bench import chain
from ml_local.errors import LocalError
from ml_local.node.layout import layout

BEGUN = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC).timestamp()
ENDS = {"app=data-raw": "12:00:10", "app=iris": "12:02:40", "app=iris-gate": "12:02:55"}


class Cluster:
    """Has a Job of each step and two runs of Spark, one of another block."""

    def __init__(self, ends: dict[str, str]) -> None:
        self._ends = ends

    def list(self, _: str, kind: str, __: str | None = None, *, labels: str = "") -> list[dict[str, Any]]:
        if kind == "Job":
            end = self._ends.get(labels)
            return [{"status": {"completionTime": f"2026-01-01T{end}Z"}}] if end else []
        return [
            {"metadata": {"name": f"{block}-1f"}, "status": {"terminationTime": f"2026-01-01T{end}Z"}}
            for block, end in (("clean", "12:01:10"), ("other", "12:09:00"))
        ]


def shares(monkeypatch: pytest.MonkeyPatch, ends: dict[str, str]) -> dict[str, float]:
    monkeypatch.setattr(chain.node, "client", lambda _: Cluster(ends))
    monkeypatch.setattr(chain, "wait_for_answers", lambda *_: None)
    monkeypatch.setattr(chain, "time", SimpleNamespace(time=lambda: BEGUN + 190.5))
    return chain.shares(layout(), [], BEGUN)


def test_the_shares_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shares(monkeypatch, ENDS)
    steps = {"data_s": 10, "table_s": 60, "learning_s": 90, "gate_s": 15, "serving_s": 15.5}
    assert found == {**steps, "total_s": sum(steps.values())}


def test_a_step_that_has_no_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LocalError, match="one Job iris-gate that has ended"):
        shares(monkeypatch, {name: end for name, end in ENDS.items() if name != "app=iris-gate"})
