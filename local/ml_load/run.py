"""The run of a load: one target, or two that take turns, with a live line, its replicas watched."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ml_local.console import Say
from ml_local.predict import Model

from ml_load.figures import Asked, Turn, percentile
from ml_load.load import Load, Outcome

TURNS = 5
"""Of each of two targets."""
LOOK = 1.0

Replicas = Callable[[str], int]
"""How many replicas of a served model are ready, by its name."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How is asked, and for how long."""

    seconds: float
    """Of the whole run."""
    clients: int
    rate: float | None = None


def run(targets: Sequence[tuple[Model, dict[str, Any]]], plan: Plan, replicas: Replicas, say: Say) -> list[Asked]:
    """Asks each target with its body, in turns where there are two; what has come is kept when it is interrupted."""
    found = [Asked(model.name, model.url) for model, _ in targets]
    turns = TURNS if len(targets) > 1 else 1
    stretch = replace(plan, seconds=plan.seconds / turns / len(targets))
    began = time.monotonic()
    try:
        for _ in range(turns):
            for asked, (model, body) in zip(found, targets, strict=True):
                with _watched(asked, replicas, began):
                    _turn(asked, model, body, stretch, began, say)
    except KeyboardInterrupt:
        say("interrupted; the report has what came until then")
    return found


def _turn(asked: Asked, model: Model, body: dict[str, Any], plan: Plan, began: float, say: Say) -> None:
    started = time.monotonic()
    load = Load(model.url, body, plan.rate, clients=plan.clients, authority=model.authority)
    try:
        with load:
            end = started + plan.seconds
            while (left := end - time.monotonic()) > 0:
                known, looked = load.count, time.monotonic()
                time.sleep(min(LOOK, left))
                say(_line(asked, load.outcomes[known:], time.monotonic() - looked))
    finally:
        outcomes = [replace(each, due=each.due + started - began) for each in load.outcomes]
        asked.turns.append(Turn(time.monotonic() - started, outcomes))


def _line(asked: Asked, known: Sequence[Outcome], seconds: float) -> str:
    """What came in the last stretch."""
    times = sorted(1000 * each.seconds for each in known if not each.problem)
    failed = len(known) - len(times)
    replicas = asked.replicas[-1][1] if asked.replicas else 0
    middle, late = percentile(times, 50), percentile(times, 99)
    return (
        f"{asked.name}: {len(times) / seconds:.0f} answers a second, p50 {middle:.1f} ms, p99 {late:.1f} ms, "
        f"{failed} failed, {replicas} replicas"
    )


@contextmanager
def _watched(asked: Asked, replicas: Replicas, began: float) -> Iterator[None]:
    """Counts the replicas each second until the end."""
    over = threading.Event()

    def look() -> None:
        while True:
            asked.replicas.append((time.monotonic() - began, replicas(asked.name)))
            if over.wait(LOOK):
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
