"""Whether the training rows and the test rows have some of each class, and what is said where they have not.

A row's side is the business of its own hash or time, so that data that grow move no row; hence no side is promised a
row of each class, and a rare one can be missing by chance. Nothing is moved to mend that: it is said before the fit,
with numbers and the way out, and goes with the model to its gate. A side of one class alone is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ml_runtime.data_spec import ByHash, ByTime, DataSpec
from ml_runtime.errors import RunError

if TYPE_CHECKING:
    from pandas import Series

NAMED = 5
"""So many classes are named."""


def missing(spec: DataSpec, classes: Sequence[str], training: Series, test: Series) -> tuple[str, ...]:
    """What is to be said of classes of which a side has no row, each a part of a sentence.

    Raises:
        RunError: a side has rows of one class alone.
    """
    learned, tested = ({str(k): int(n) for k, n in side.value_counts().items()} for side in (training, test))
    for counts, side in ((learned, "training"), (tested, "test")):
        if len(counts) == 1:
            ((name, count),) = counts.items()
            raise RunError(
                f"{spec.uri}: all {count} {side} rows have the class {name!r}, and the data have {len(classes)} "
                f"classes, so that nothing is {'learned' if side == 'training' else 'judged'}. {_way_out(spec)}"
            )
    return tuple(_said(spec, classes, learned, tested))


def _said(
    spec: DataSpec, classes: Sequence[str], learned: Mapping[str, int], tested: Mapping[str, int]
) -> Iterator[str]:
    unlearned = {name: tested.get(name, 0) for name in classes if name not in learned}
    untested = {name: learned[name] for name in classes if name in learned and name not in tested}
    if unlearned:
        yield f"no training row is of the class {_named(unlearned, 'test')}, which no model can answer"
    if untested:
        yield f"no test row is of the class {_named(untested, 'training')}, for which nothing is judged"
    if unlearned or untested:
        yield _way_out(spec)


def _named(counts: Mapping[str, int], where: str) -> str:
    words = [f"{name} ({count} in {where})" for name, count in list(counts.items())[:NAMED]]
    more = len(counts) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")


def _way_out(spec: DataSpec) -> str:
    if isinstance(spec.test, ByHash):
        ways = "another `fraction` or `salt` of the data's `test`"
        ways += ", other columns in its `by`" if spec.test.by else ""
    elif isinstance(spec.test, ByTime):
        ways = "another `since` of the data's `test`"
    else:
        ways = "other data of the test's own"
    sample = ", a greater `sample`" if spec.sample else ""
    return f"More rows of each class, {ways}{sample} may bring some; or leave such rows out"
