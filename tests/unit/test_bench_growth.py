"""What `make bench` says of the growth with the number of objects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_bench import growth
from ml_bench.measured import Run
from ml_local.node.layout import Layout

NOISE = (1.7, 1.0, 1.3)


class Stack:
    """Takes a tenth of a second for each object, and now and then longer."""

    def __init__(self, _folder: Path, _layout: Layout, _program: str, variables: dict[str, str]) -> None:
        objects = list(yaml.safe_load_all(Path(variables["ML_PLATFORM_BENCH_BUNDLE"]).read_text()))
        self._plain = len(objects) / 10
        self._noise: dict[str, Iterator[float]] = {}

    def prepare(self) -> None:
        return

    def policies(self) -> float:
        return 1.0

    def took(self, step: str) -> Run:
        factor = next(self._noise.setdefault(step, cycle(NOISE)))
        return Run(self._plain * factor, {"cli": int(100 * factor)}, "")


@pytest.fixture(autouse=True)
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "Project", Stack)
    takes: Any = {step: lambda stack, step=step: stack.took(step) for step in growth._STEPS}
    monkeypatch.setattr(growth, "_STEPS", takes)


def test_each_size_counts_with_the_best_of_three_rounds_and_the_most_memory(tmp_path: Path) -> None:
    figures = growth.growth(Layout(tmp_path))
    for size in growth.SIZES:
        found = figures[str(size)]
        assert {found[step] for step in ("preview_s", "up_s", "noop_s", "destroy_s")} == {size / 10}
        assert (found["policies_s"], found["cli_mib"], found["provider_mib"]) == (1.0, 170, 0)


def test_growth_that_is_linear_is_said_to_be(tmp_path: Path) -> None:
    assert set(growth.growth(Layout(tmp_path))["an_object"].values()) == {1.0}
