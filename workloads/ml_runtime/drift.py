"""Whether the columns of two tables have the same distribution, by evidently: a test for each column that fits its kind
and the number of rows, and a page that shows both.

It owns how evidently is asked, and nothing of what the tables are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_runtime.asked_rows import Compared

COLUMN = "ValueDrift"
BY_PROBABILITY = "p_value"
"""What the name of a test ends with by which a small value is drift; by the others, which are distances, a large one
is."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of one column."""

    value: float
    threshold: float
    method: str

    @property
    def drifted(self) -> bool:
        if not isfinite(self.value):
            return False
        return (self.value < self.threshold) == self.method.endswith(BY_PROBABILITY)


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Of a table."""

    scores: Mapping[str, Score]
    page: bytes
    """HTML."""

    @property
    def drifted(self) -> list[str]:
        return sorted(name for name, score in self.scores.items() if score.drifted)

    @property
    def share(self) -> float:
        return len(self.drifted) / len(self.scores) if self.scores else 0.0


def of(tables: Compared, share: float) -> Drift:
    """What differs; the page says so of the whole table from that share of its columns on."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    kinds = DataDefinition(numerical_columns=[*tables.numbers], categorical_columns=[*tables.categories])
    current, reference = (
        Dataset.from_pandas(each, data_definition=kinds) for each in (tables.current, tables.reference)
    )
    found = Report([DataDriftPreset(drift_share=share)]).run(current_data=current, reference_data=reference)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drift.html"
        found.save_html(str(path))
        page = path.read_bytes()
    return Drift(scores=scores(found.dict()["metrics"]), page=page)


def scores(metrics: list[dict[str, Any]]) -> dict[str, Score]:
    """Those of all columns, of what evidently tells."""
    return {
        each["config"]["column"]: Score(
            value=float(each["value"]), threshold=float(each["config"]["threshold"]), method=each["config"]["method"]
        )
        for each in metrics
        if each["config"]["type"].endswith(f":{COLUMN}")
    }
