"""What a load comes to in numbers: of one target, and of two that took turns."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ml_load.load import Outcome

PERCENTILES = (50, 90, 95, 99)
MOST_PROBLEMS = 10


@dataclass
class Turn:
    """One stretch of asking."""

    seconds: float
    outcomes: list[Outcome]

    @property
    def milliseconds(self) -> list[float]:
        """Of each answered request, ascending."""
        return sorted(1000 * each.seconds for each in self.outcomes if not each.problem)

    @property
    def a_second(self) -> float:
        """Answered requests."""
        return len(self.milliseconds) / self.seconds


@dataclass
class Asked:
    """All that was asked of one target; the times of its outcomes count from the begin of the whole run."""

    name: str
    url: str
    turns: list[Turn] = field(default_factory=list)
    replicas: list[tuple[float, int]] = field(default_factory=list)
    """How many were ready, by seconds from the begin."""

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for turn in self.turns for outcome in turn.outcomes]

    @property
    def whole(self) -> Turn:
        """All turns as one."""
        return Turn(sum(turn.seconds for turn in self.turns) or 1.0, self.outcomes)

    @property
    def versions(self) -> Counter[str]:
        """Answers by the version that gave them."""
        return Counter(each.version for each in self.outcomes if each.version)

    @property
    def problems(self) -> list[tuple[str, int]]:
        """What was said in place of an answer, and how often; the most frequent first."""
        return Counter(each.problem for each in self.outcomes if each.problem).most_common(MOST_PROBLEMS)

    @property
    def failed(self) -> int:
        return sum(1 for each in self.outcomes if each.problem)


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The least value that so many percent are not above; nan of none.

    Source: the nearest rank, so that it is a time that a request has taken.
    """
    if not ascending:
        return float("nan")
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]


def numbers(asked: Asked) -> dict[str, float]:
    """Requests, those that failed, answers a second, milliseconds."""
    whole = asked.whole
    times = whole.milliseconds
    return {
        "requests": len(whole.outcomes),
        "failed": asked.failed,
        "a_second": round(whole.a_second, 1),
        **{f"p{percent}_ms": round(percentile(times, percent), 2) for percent in PERCENTILES},
        "max_ms": round(times[-1] if times else float("nan"), 2),
        "replicas": max((count for _, count in asked.replicas), default=0),
    }


def against(one: Asked, other: Asked) -> dict[str, float]:
    """The medians over the turns of what `other` has of `one`: what else goes on meanwhile burdens both of a turn."""
    pairs = [(mine, its) for mine, its in zip(one.turns, other.turns, strict=True) if mine.a_second and its.a_second]
    if not pairs:
        return {}

    def ratio(percent: float) -> float:
        return statistics.median(
            percentile(its.milliseconds, percent) / percentile(mine.milliseconds, percent) for mine, its in pairs
        )

    return {
        "a_second": round(statistics.median(its.a_second / mine.a_second for mine, its in pairs), 3),
        **{f"p{percent}_ms": round(ratio(percent), 3) for percent in PERCENTILES},
    }
