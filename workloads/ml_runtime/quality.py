"""How often a deployed model is right, by labels that come later: rows with the id of an answer and what was right.

A label may never come, come twice, or be of no request that is looked at: each of these is counted, and none fails. Of
two labels for one answer the later one holds. It owns the join; the arithmetic is ml_runtime.metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime import store, tables
from ml_runtime.answers import Answers, MetricError
from ml_runtime.data_spec import DataSpec, Task
from ml_runtime.errors import RunError
from ml_runtime.schema import written

if TYPE_CHECKING:
    from ml_runtime.asked_rows import AskedRows
    from ml_runtime.formats import Block
    from ml_runtime.monitor_spec import QualityRules

ROW = "row"
"""The column of labels with the place of a row in its request, from 0; only requests of several rows need it."""


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What was right, by id and place."""

    each: Mapping[tuple[str, int | None], Any]
    twice: int = 0
    """Labels that another one has replaced."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Of the answers that have a label."""

    score: float | None
    """None where there are too few, or the metric has no value on them."""
    numbers: Mapping[str, float]
    said: str


def labels(rules: QualityRules, target: str, patience: float) -> Labels:
    """All that have come so far; none where there is nothing yet.

    Raises:
        RunError: they are there, and are no table with the columns that they must have.
    """
    if not store.below(rules.labels, patience):
        return Labels(each={})
    found: dict[tuple[str, int | None], Any] = {}
    twice = 0
    spec = DataSpec(source=rules.labels)
    with tables.opened(spec, rules.labels, patience) as data:
        for block in data.blocks(None):
            for key, value in _rows(block, rules.id, target):
                twice += key in found
                found[key] = value
    return Labels(each=found, twice=twice)


def _rows(block: Block, id_column: str, target: str) -> Any:
    """The labels of a block; one without an id or a value is none."""
    names = block.table.column_names
    if missing := [name for name in (id_column, target) if name not in names]:
        raise RunError(
            f"{block.place(0)}: the labels have no column {missing[0]!r}, only {', '.join(map(repr, names[:30]))}; "
            f"they need the id of the answer and what was right, {target!r}"
        )
    ids, values = (block.table.column(name).to_pylist() for name in (id_column, target))
    places = block.table.column(ROW).to_pylist() if ROW in names else [None] * len(ids)
    for number, (name, value, place) in enumerate(zip(ids, values, places, strict=True)):
        if name in (None, "") or value in (None, ""):
            continue
        try:
            yield (written(name), None if place in (None, "") else int(place)), value
        except ValueError:
            raise RunError(f"{block.place(number)}: {ROW} is {place!r}; it is a whole number from 0") from None


def of(rows: AskedRows, known: Labels, rules: QualityRules, task: Task) -> Quality:
    """How well the answers fit the labels."""
    import numpy

    answers, pairs, elsewhere = rows.answers, [], 0
    for (name, place), value in known.each.items():
        key = (name, place or 0)
        if key not in answers or (place is None and name in rows.several):
            elsewhere += 1
            continue
        pairs.append((value, answers[key]))
    numbers = {"labels": len(pairs), "labels_elsewhere": elsewhere, "labels_twice": known.twice}
    if len(pairs) < rules.min_rows:
        return Quality(score=None, numbers=numbers, said=f"{len(pairs)} answers have a label, of {rules.min_rows}")
    kind, as_text = (float, False) if task is Task.REGRESSION else (object, True)
    try:
        truth, given = (
            numpy.array([written(pair[side]) if as_text else float(pair[side]) for pair in pairs], dtype=kind)
            for side in (0, 1)
        )
        score = rules.metric.of(truth, Answers(labels=given))
    except MetricError as none:
        return Quality(score=None, numbers=numbers, said=str(none))
    except ValueError as text:
        raise RunError(f"{rules.labels}: a label of a regression is a number: {text}") from text
    return Quality(
        score=score,
        numbers={**numbers, rules.metric.name: score},
        said=f"{rules.metric.name} is {score:.4g} on {len(pairs):,} answers",
    )
