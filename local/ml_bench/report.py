"""The figures of one run: each part's on its own, under the conditions that the machine had meanwhile.

It owns what is kept of a part that fails, the file and the table; what is measured belongs to the parts. A figure from
a shared machine is a fact of that run and not a test, so no figure fails anything.
"""

from __future__ import annotations

import json
import os
import platform as machine
import statistics
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_local import console
from ml_local.errors import LocalError

TARGETS: Mapping[str, str] = {
    "cold_first_prediction_s": "<= 900",
    "first_prediction_s": "<= 60",
    "noop_up_s": "<= 3",
    "down_s": "<= 10",
    "at_rest_mib": "<= 1331",
    "gateway.connections_4.throughput_ratio": ">= 0.9",
    "gateway.connections_4.p99_more_ms": "<= 3",
    "canary.split_s": "<= 30",
    "canary.failed": "0",
    "canary.off_points": "<= 2",
    "growth.an_object.preview_s": "<= 1.1",
    "growth.an_object.up_s": "<= 1.1",
    "growth.an_object.noop_s": "<= 1.1",
    "growth.an_object.destroy_s": "<= 1.1",
    "largest.preview_s": "<= 15",
    "largest.policies_s": "<= 3",
    "largest.rendering_s": "<= 2",
    "largest.program_mib": "<= 500",
    "largest.cli_mib": "<= 600",
    "releases.chain.total_s": "<= 360",
    "releases.tuning.ratio": "<= 1.2",
    "releases.noop_up_s": "<= 6",
    "releases.destroy_s": "<= 60",
}


class Report:
    """What was measured until now; `path` has it after each part."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.figures: dict[str, Any] = {}
        self.conditions: dict[str, Any] = {**_machine(), "during": {}}
        self.failed: list[str] = []

    def part(self, name: str, measure: Callable[[], Any]) -> None:
        """Measure, and add it to what `name` has already; a failure is kept as such, and the next part comes."""
        console.line(f"  ..  {name}")
        before, started = _ticks(), time.monotonic()
        try:
            self._add(name, measure())
        except Exception as problem:
            self.failed.append(name)
            text = str(problem) if isinstance(problem, LocalError) else traceback.format_exc()
            console.line(f"  no  {name}: {text}")
            self.figures.setdefault(name, {"failed": text.strip().splitlines()[-1]})
        seconds = time.monotonic() - started
        self.conditions["during"].setdefault(name, []).append(_conditions(before, seconds))
        self._write()

    def show(self) -> None:
        """Print it all."""
        console.line()
        console.table(dict(_rows("", {"conditions": self.conditions, **self.figures})))
        console.line(f"\nwritten to {self.path}")

    def check(self) -> None:
        """Raises LocalError where a part failed; it names them."""
        if self.failed:
            raise LocalError(f"not measured: {', '.join(self.failed)}; why is said above")

    def _add(self, name: str, measured: Any) -> None:
        """One figure is a list: of it there may be several in a run."""
        if isinstance(measured, Mapping):
            self.figures[name] = measured
            return
        more = measured if isinstance(measured, list) else [measured]
        before = self.figures.get(name)
        self.figures[name] = [*(before if isinstance(before, list) else []), *more]

    def _write(self) -> None:
        content = {"conditions": self.conditions, **self.figures}
        self.path.write_text(json.dumps(content, indent=2) + "\n")


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.monotonic()
    work()
    return round(time.monotonic() - started, 1)


def _machine() -> dict[str, Any]:
    memory = Path("/proc/meminfo").read_text().splitlines()[0].split()[1]
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S"),
        "processors": os.cpu_count(),
        "memory_gib": round(int(memory) / 2**20, 1),
        "kernel": machine.release(),
        "load_before": os.getloadavg()[0],
    }


def _conditions(before: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Of the last part: its length, and of the processors' time what was used here and what other guests took."""
    spent = {name: after - before[name] for name, after in _ticks().items()}
    whole = max(1, sum(spent.values()))
    percent = {name: round(100 * spent[name] / whole) for name in ("idle", "steal")}
    return {
        "seconds": round(seconds, 1),
        "busy_percent": 100 - percent["idle"] - percent["steal"],
        "steal_percent": percent["steal"],
        "load_after": round(os.getloadavg()[0], 2),
    }


def _ticks() -> dict[str, int]:
    """Of all processors since the machine's start, as `proc(5)` names them; waiting for a disk is idle."""
    words = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, idle, waiting, hard, soft, steal = map(int, words)
    return {"busy": user + nice + system + hard + soft, "idle": idle + waiting, "steal": steal}


def _rows(prefix: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in figures.items():
        full = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _rows(f"{full}.", value)
        else:
            target = f"   (to reach: {TARGETS[full]})" if full in TARGETS else ""
            yield full, f"{_text(value)}{target}"


def _text(value: Any) -> str:
    """Several measurements of one figure by their median, and all of them."""
    numbers = [each for each in value if isinstance(each, int | float)] if isinstance(value, list) else []
    if not numbers:
        return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{statistics.median(numbers):g}" + (f"   of {', '.join(map(str, numbers))}" if len(numbers) > 1 else "")
