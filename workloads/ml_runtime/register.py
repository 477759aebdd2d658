"""Judges a candidate beside the champion and registers it if it is accepted: a version, its digest, then the aliases.

`challenger` is the version that was accepted last; `champion` the one that serves all: the same where approval is
automatic, else the one that the settings approve. Where it is yet to be served, this alias is not moved here. It ends
with 0 also when a model is refused: that is a verdict, not a failure. Nothing is done twice: a version is found again
by its run, and keeps the judgement that made it one.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ml_runtime import command, gate_spec, own_metric, pictures, tracking
from ml_runtime.bootstrap import Comparison
from ml_runtime.errors import RunError
from ml_runtime.evidence import Gathering
from ml_runtime.gate import ACCEPTED, Evidence, Judgement, decide
from ml_runtime.gate_spec import Approval, GateSpec
from ml_runtime.metrics import Metric
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.spec import PATH, read
from ml_runtime.tracking import CHALLENGER, CHAMPION
from ml_runtime.verdict import Verdict

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

MOST = 10_000
"""Versions of one model that MLflow is asked for at once, its limit."""


def register(spec: GateSpec, folder: Path = PATH.parent) -> Verdict:
    """Judge the candidate and do what the judgement says; a metric of one's own is in the folder.

    Raises:
        RunError: the candidate is not there, or what it keeps or the settings say does not fit.
        AwayError: MLflow was away for too long, or a model could not be asked here and now.
    """
    limit_client_retries()
    metric = own_metric.named(spec.gate.metric, folder)
    spec.gate.fit(metric)
    run = patiently("MLflow", spec.patience, lambda: tracking.client().get_run(spec.candidate))
    patiently("MLflow", spec.patience, lambda: _approve(spec))
    judged = _judged(spec, metric, run)
    print(f"judged: {judged.judgement.reason}", flush=True)
    return patiently("MLflow", spec.patience, lambda: _verdict(spec, run, judged))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A judgement as it is kept on the candidate's run."""

    judgement: Judgement
    files: str
    """The digest of the files that were judged."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)  # a tag has 8,000 characters

    @staticmethod
    def from_json(text: str) -> Judged:
        found = json.loads(text)
        return Judged(judgement=Judgement(**found["judgement"]), files=found["files"])


def _judged(spec: GateSpec, metric: Metric, run: Run) -> Judged:
    """By the rules and beside the champion; the challenger and the champion keep what was judged under this key."""
    tag, patience, itself = f"{tracking.JUDGEMENT}.{spec.run}", spec.patience, run.info.run_id
    challenger, champion = patiently("MLflow", patience, lambda: _known(spec))
    if tag in run.data.tags and itself in {each.run_id for each in (challenger, champion) if each}:
        return Judged.from_json(run.data.tags[tag])
    deployed = champion if champion and champion.run_id != itself else None
    found = Gathering(spec, metric, run, deployed).gather()
    judged = Judged(judgement=decide(spec.gate, metric, found.evidence), files=found.files)
    patiently("MLflow", patience, lambda: tracking.client().set_tag(run.info.run_id, tag, judged.to_json()))
    patiently("MLflow", patience, lambda: _draw(spec, metric, found.evidence))
    return judged


def _draw(spec: GateSpec, metric: Metric, evidence: Evidence) -> None:
    if isinstance(evidence.candidate, Comparison):
        figure = pictures.intervals(metric, evidence.candidate, spec.gate)
        tracking.client().log_figure(spec.candidate, figure, f"gate/{spec.run}.png")


def _approve(spec: GateSpec) -> None:
    """The version that the settings approve is the champion, now or when it serves.

    Raises:
        RunError: no gate has accepted it.
    """
    if (wanted := spec.gate.approved) is None:
        return
    accepted = [int(each.version) for each in _versions(spec.model) if tracking.FILES_DIGEST in each.tags]
    if wanted not in accepted:
        raise RunError(
            f"gate.approved is {wanted}, which is no version of {spec.model!r} that a gate has accepted; those are "
            f"{sorted(accepted) or 'none yet: leave it out'}"
        )
    if spec.promotes:
        tracking.client().set_registered_model_alias(spec.model, CHAMPION, str(wanted))


def _verdict(spec: GateSpec, run: Run, judged: Judged) -> Verdict:
    """Register what was accepted, move the aliases, and say what is so now."""
    judgement, version = judged.judgement, _version(spec, run)
    if judgement.rule == ACCEPTED:
        version = version or _new_version(spec, run, judged.files)
        tracking.client().set_model_version_tag(spec.model, str(version.version), tracking.FILES_DIGEST, judged.files)
        _promote(spec, str(version.version))
    named = {"version": version, "champion": _wanted(spec, version, judgement)}
    return Verdict(
        run=spec.run,
        accepted=judgement.accepted,
        rule=judgement.rule,
        reason=judgement.reason,
        numbers=judgement.numbers,
        outputs={name: str(found.version) for name, found in named.items() if found},
    )


def _promote(spec: GateSpec, version: str) -> None:
    """What is champion already stays so, and makes no later challenger step back."""
    champion = _champion(spec)
    if champion and str(champion.version) == version:
        return
    tracking.client().set_registered_model_alias(spec.model, CHALLENGER, version)
    if spec.gate.approval is Approval.AUTOMATIC and spec.promotes:
        tracking.client().set_registered_model_alias(spec.model, CHAMPION, version)


def _wanted(spec: GateSpec, version: ModelVersion | None, judgement: Judgement) -> ModelVersion | None:
    """The version that is to serve all."""
    if spec.gate.approved is not None:
        return tracking.client().get_model_version(spec.model, str(spec.gate.approved))
    if judgement.rule == ACCEPTED and spec.gate.approval is Approval.AUTOMATIC:
        return version
    return _champion(spec)


def _champion(spec: GateSpec) -> ModelVersion | None:
    """The one that serves all, or that a judgement before this one has chosen to."""
    if spec.before is not None:
        return tracking.client().get_model_version(spec.model, spec.before)
    return tracking.version(spec.model, CHAMPION)


def _known(spec: GateSpec) -> tuple[ModelVersion | None, ModelVersion | None]:
    """Challenger and champion."""
    return tracking.version(spec.model, CHALLENGER), _champion(spec)


def _versions(model: str) -> list[ModelVersion]:
    found = tracking.client().search_model_versions(f"name='{model}'", max_results=MOST)
    return list(found)


def _version(spec: GateSpec, run: Run) -> ModelVersion | None:
    """That of the run's model. Of several, the one in use, else the first: later ones were made by somebody else."""
    champion = _champion(spec)
    if champion and champion.run_id == run.info.run_id:
        return champion
    of_run = (version for version in _versions(spec.model) if version.run_id == run.info.run_id)
    return min(of_run, key=lambda version: int(version.version), default=None)


def _new_version(spec: GateSpec, run: Run, files: str) -> ModelVersion:
    import mlflow

    tags = {tracking.RUN_KEY: spec.run, tracking.FILES_DIGEST: files}
    return mlflow.register_model(f"models:/{tracking.model_id(run)}", spec.model, tags=tags)


def main() -> int:
    """The command."""
    path = command.arguments("ml_runtime.register", __doc__, PATH)

    def judged() -> None:
        spec = gate_spec.parse(read(path))
        command.say(register(spec, path.parent), spec)

    return command.finish(judged)


if __name__ == "__main__":
    sys.exit(main())
