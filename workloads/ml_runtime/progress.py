"""What is said of a tuning as its trials end: one line each, with the best so far."""

from __future__ import annotations

from ml_runtime.metrics import METRICS
from ml_runtime.tune_spec import TuneSpec


class Progress:
    """Keeps count of the trials of one tuning."""

    def __init__(self, spec: TuneSpec) -> None:
        self._spec = spec
        self._best: tuple[int, float] | None = None
        self.failures: dict[int, str] = {}
        """Why, by the trial's number."""

    def finished(self, number: int, score: float, when: str = "") -> None:
        metric = METRICS[self._spec.metric]
        if self._best is None or metric.better(score, self._best[1]):
            self._best = number, score
        best, of = self._best
        self._say(number, f"{self._spec.metric} {score:.4f}{when}; the best is trial {best} with {of:.4f}")

    def failed(self, number: int, why: str) -> None:
        self.failures[number] = why
        self._say(number, f"failed: {why}")

    def _say(self, number: int, text: str) -> None:
        print(f"trial {number} of {self._spec.trials}: {text}", flush=True)
