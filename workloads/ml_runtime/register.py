"""Judges a candidate beside the deployed champion and registers it if it is accepted: a version, then the alias.

It ends with 0 also when a model is refused: that is a verdict, not a failure. Nothing is done twice: a version is found
again by its run, and a model that has become champion keeps the judgement that made it so.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ml_runtime import command, data, download, gate_spec, serving, store, tracking
from ml_runtime.errors import RunError
from ml_runtime.gate import Champion, Judgement, Shown, decide
from ml_runtime.gate_spec import GateSpec, GateVerdict
from ml_runtime.metrics import METRICS
from ml_runtime.patience import limit_client_retries, patiently

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion


def register(spec: GateSpec) -> GateVerdict:
    """Judge the candidate and do what the judgement says.

    Raises:
        RunError: the candidate is not there, or MLflow was away for too long.
    """
    limit_client_retries()
    run = patiently("MLflow", spec.patience, lambda: tracking.client().get_run(spec.candidate))
    judgement = patiently("MLflow", spec.patience, lambda: _judge(spec, run))
    print(f"judged: {judgement.reason}", flush=True)
    return patiently("MLflow", spec.patience, lambda: _register(spec, run, judgement))


def _judge(spec: GateSpec, run: Run) -> Judgement:
    tag = f"{tracking.JUDGEMENT}.{spec.run}"
    champion = tracking.champion(spec.model)
    itself = champion is not None and champion.run_id == run.info.run_id
    if itself and tag in run.data.tags:
        return Judgement(**json.loads(run.data.tags[tag]))
    held_out = _held_out(spec, run)
    candidate = _show(spec, tracking.model_location(run), held_out)
    deployed = None
    if champion and not itself:
        version = str(champion.version)
        location = download.location(spec.model, version)
        deployed = Champion(version=version, shown=_show(spec, location, held_out))
    judgement = decide(spec.gate, candidate, len(held_out.rows), deployed)
    tracking.client().set_tag(run.info.run_id, tag, json.dumps(asdict(judgement)))
    return judgement


def _held_out(spec: GateSpec, run: Run) -> data.Table:
    """The rows by digest, as the run keeps them."""
    digest = run.data.tags[tracking.HELD_OUT_DIGEST]
    uri = f"{run.info.artifact_uri}/{tracking.held_out_path(digest)}"
    content = download.read(uri)
    if store.digest(content) != digest:
        raise RunError(f"{uri} is not what its name says: its sha256 is {store.digest(content)}; somebody replaced it")
    return data.parse(content, spec.columns)


def _show(spec: GateSpec, uri: str, held_out: data.Table) -> Shown:
    metric = METRICS[spec.gate.metric]
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        download.fetch(uri, files)
        signature = serving.signature(files)
        try:
            answers = serving.answers(files, spec.model, held_out, but=spec.target)
        except serving.ServingError as broken:
            return Shown(score=None, failure=str(broken), signature=signature)
    score = metric.of(held_out.values(spec.target, metric.task), answers)
    return Shown(score=score, signature=signature)


def _register(spec: GateSpec, run: Run, judgement: Judgement) -> GateVerdict:
    version = _version(spec, run)
    if judgement.accepted:
        version = version or _new_version(spec, run)
        tracking.client().set_registered_model_alias(spec.model, tracking.CHAMPION, version.version)
    champion = tracking.champion(spec.model)
    return GateVerdict(
        run=spec.run,
        accepted=judgement.accepted,
        rule=judgement.rule,
        reason=judgement.reason,
        numbers=judgement.numbers,
        candidate=run.info.run_id,
        version=str(version.version) if version else None,
        champion=str(champion.version) if champion else None,
        dataset_sha256=run.data.tags[tracking.DATASET_DIGEST],
        held_out_sha256=run.data.tags[tracking.HELD_OUT_DIGEST],
        image=spec.image,
    )


def _version(spec: GateSpec, run: Run) -> ModelVersion | None:
    """That of the run's model. Of several, the one in use, else the first: later ones were made by somebody else."""
    champion = tracking.champion(spec.model)
    if champion and champion.run_id == run.info.run_id:
        return champion
    found = tracking.client().search_model_versions(f"name='{spec.model}'")
    of_run = (version for version in found if version.run_id == run.info.run_id)
    return min(of_run, key=lambda version: int(version.version), default=None)


def _new_version(spec: GateSpec, run: Run) -> ModelVersion:
    import mlflow

    return mlflow.register_model(f"models:/{tracking.model_id(run)}", spec.model, tags={tracking.RUN_KEY: spec.run})


def main() -> int:
    """The command."""
    return command.run("ml_runtime.register", __doc__, gate_spec.parse, register)


if __name__ == "__main__":
    sys.exit(main())
