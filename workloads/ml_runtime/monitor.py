"""Looks at a deployed model by its requests: whether they drift from the rows that it was judged by, and how often it
was right, where labels have come.

What it finds is an MLflow run of the model's experiment: numbers as metrics, evidently's page and what people say as
artifacts. The version's tag `ml-platform.degraded` says true or false for whatever keeps the model good; where there
are too few requests, it stays as it was.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from ml_runtime import asked_rows, command, drift, judged, monitor_spec, quality, recorded, taken, tracking
from ml_runtime.asked_rows import AskedRows, Compared
from ml_runtime.drift import Drift
from ml_runtime.errors import RunError
from ml_runtime.monitor_spec import MonitorSpec
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.quality import Quality
from ml_runtime.recorded import Opinion
from ml_runtime.verdict import Verdict

if TYPE_CHECKING:
    from mlflow.entities import Run

MONITOR = "ml-platform.monitor"
"""The tag of an MLflow run that is a look, with the version that it is of."""
DEGRADED, LOOK = "ml-platform.degraded", "ml-platform.monitored"
"""The tags of a version: whether it is degraded, and the MLflow run that says so."""
UNNAMED = re.compile(r"[^-/\w .:]")
"""What MLflow's names of metrics don't have."""
COMMENTS = 1000
"""So many of what people say are kept, the newest."""


@dataclass(kw_only=True)
class Found:
    """By one look."""

    version: str
    rows: AskedRows
    opinions: list[Opinion] = field(default_factory=list)
    drift: Drift | None = None
    left_out: Sequence[str] = ()
    quality: Quality | None = None

    @property
    def numbers(self) -> dict[str, float]:
        good = sum(each.good for each in self.opinions)
        found: dict[str, float] = {"rows": len(self.rows), "good": good, "bad": len(self.opinions) - good}
        if self.drift:
            found |= {"drift_share": self.drift.share, "drifted_columns": len(self.drift.drifted)}
        return {**found, **(self.quality.numbers if self.quality else {})}


def monitor(spec: MonitorSpec, now: datetime | None = None) -> Verdict:
    """One look at the champion.

    Raises:
        RunError: no run of the platform's has made it, or its labels are no table.
        AwayError: a service was away for too long.
    """
    limit_client_retries()
    version = patiently("MLflow", spec.patience, lambda: tracking.version(spec.model, tracking.CHAMPION))
    if version is None:
        return _said(spec, "too-few", f"{spec.model} has no champion yet", {})
    run = patiently("MLflow", spec.patience, lambda: tracking.run_of(version))
    if run is None:
        raise RunError(
            f"the MLflow run that made version {version.version} of {spec.model} is gone, and with it the rows that "
            "it was judged by; train it again"
        )
    found = _found(spec, str(version.version), run, now or datetime.now(UTC))
    rule, reason = _judged(spec, found)
    degraded = {"drift": "true", "quality": "true", "finished": "false"}.get(rule)
    look = patiently("MLflow", spec.patience, lambda: _log(spec, found, degraded))
    outputs = {"version": found.version, "report": look, **({"degraded": degraded} if degraded else {})}
    return _said(spec, rule, reason, found.numbers, outputs)


def _said(
    spec: MonitorSpec, rule: str, reason: str, numbers: Mapping[str, float], outputs: Mapping[str, str] | None = None
) -> Verdict:
    accepted = rule in ("finished", "too-few")
    return Verdict(
        run=spec.run, accepted=accepted, rule=rule, reason=reason, numbers=numbers, outputs={**(outputs or {})}
    )


def _found(spec: MonitorSpec, version: str, run: Run, now: datetime) -> Found:
    """What the requests to this version show."""
    model = taken.of(run, spec.patience)
    found = Found(version=version, rows=AskedRows(names=model.features.names))
    since = now - timedelta(days=spec.period)
    for each in recorded.read(spec.requests, spec.services, since, now, spec.patience):
        if each.version != version:
            continue
        if isinstance(each, Opinion):
            found.opinions.append(each)
        elif len(found.rows) < spec.drift.rows:
            found.rows.add(each)
    if len(found.rows) >= spec.drift.min_rows:
        rows = judged.of(run, spec.patience)
        tables = asked_rows.compared(found.rows, rows.features, rows.target, model)
        found.left_out = tables.left_out
        found.drift = drift.of(tables, spec.drift.share) if _comparable(tables) else None
    if spec.quality:
        known = quality.labels(spec.quality, model.target, spec.patience)
        found.quality = quality.of(found.rows, known, spec.quality, model.task)
    return found


def _comparable(tables: Compared) -> bool:
    """Whether there is a column of which both sides have values."""
    return bool(tables.numbers or tables.categories)


def _judged(spec: MonitorSpec, found: Found) -> tuple[str, str]:
    """The rule that decides, and why."""
    rows = f"{len(found.rows):,} rows were asked of version {found.version}"
    scored = found.quality.score if found.quality else None
    left_out = f"; not compared: {', '.join(found.left_out)}" if found.left_out else ""
    said = "; ".join([rows, *([found.quality.said] if found.quality else [])]) + left_out
    bound = spec.quality.bound if spec.quality else None
    if spec.quality and scored is not None and bound is not None and not spec.quality.metric.reaches(scored, bound):
        return "quality", f"{said}; the bound is {bound:g}"
    if found.drift and found.drift.share >= spec.drift.share:
        return "drift", f"{said}; {', '.join(found.drift.drifted)} have drifted"
    if found.drift is None and scored is None:
        return "too-few", said
    return "finished", said


def _log(spec: MonitorSpec, found: Found, degraded: str | None) -> str:
    """The id of the MLflow run with all of it."""
    client = tracking.client()
    tags = {tracking.RUN_KEY: spec.run, MONITOR: found.version, DEGRADED: degraded or "unknown"}
    name = f"{spec.model}-monitor-{datetime.now(UTC):%Y-%m-%dT%H-%M}"
    run = str(client.create_run(tracking.experiment(spec.model), tags=tags, run_name=name).info.run_id)
    numbers = dict(found.numbers)
    if found.drift:
        numbers |= {f"drift/{UNNAMED.sub('_', name)}": score.value for name, score in found.drift.scores.items()}
        client.log_text(run, found.drift.page.decode(), "drift.html")
    for key, value in numbers.items():
        if isfinite(value):
            client.log_metric(run, key, value)
    if found.opinions:
        client.log_text(run, json.dumps(_comments(found.opinions), indent=2, ensure_ascii=False), "opinions.json")
    client.set_terminated(run, "FINISHED")
    if degraded:
        client.set_model_version_tag(spec.model, found.version, DEGRADED, degraded)
        client.set_model_version_tag(spec.model, found.version, LOOK, run)
    return run


def _comments(opinions: Sequence[Opinion]) -> list[dict[str, Any]]:
    newest = sorted(opinions, key=lambda each: each.time, reverse=True)[:COMMENTS]
    return [
        {"id": each.id, "time": each.time.isoformat(), "good": each.good, "comment": each.comment} for each in newest
    ]


def main() -> int:
    """The command."""
    return command.run("ml_runtime.monitor", __doc__, monitor_spec.parse, monitor)


if __name__ == "__main__":
    sys.exit(main())
