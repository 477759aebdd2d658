"""What every run logs of its model: the model itself, test rows, schema, scores, pictures, code, and where all is
from.

A gate needs nothing else to judge it. All that can fail by the model or by the machine is done before MLflow is asked
for anything; so only its own absence is waited for. How the model came to be is the business of whoever logs it.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_runtime import ask, importance, kept, learning, own_code, pictures, tracking
from ml_runtime.libraries import Saving
from ml_runtime.metrics import scores
from ml_runtime.patience import patiently
from ml_runtime.schema import naive
from ml_runtime.spec import PATH
from ml_runtime.verdict import Verdict

if TYPE_CHECKING:
    from mlflow.entities import Run

    from ml_runtime.answers import Answers
    from ml_runtime.learning_spec import LearningSpec
    from ml_runtime.made import Made
    from ml_runtime.tables import Read

MODEL_FOLDER, ARTIFACTS = "model", "artifacts"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model, and what it has learned from."""

    spec: LearningSpec
    table: Read
    model: Made
    parameters: Mapping[str, Any]
    numbers: Mapping[str, float]
    """What is known of it besides its scores."""


def tags(spec: LearningSpec, table: Read) -> dict[str, str]:
    """Those of the MLflow run of a candidate that are known before there is a model."""
    notes = {tracking.NOTES: "; ".join(table.notes)} if table.notes else {}
    return {
        **notes,
        tracking.RUN_KEY: spec.run,
        tracking.DATA: spec.data.uri,
        tracking.DATA_DIGEST: table.sha256,
        tracking.TARGET: spec.target,
        tracking.TASK: str(spec.data.task),
        tracking.CODE_VERSION: spec.code_version,
    }


def log(candidate: Candidate, experiment_id: str, run_id: str | None = None) -> Run:
    """The MLflow run with all of the candidate: a new one, or the one that is named.

    Raises:
        RunError: the model can't be saved, or can't be asked.
        AwayError: MLflow was away for too long.
    """
    spec = candidate.spec
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tested = _keep(candidate.table, folder)
        scored = own_code.called("the model", lambda: _staged(candidate, folder), candidate.model.code)
        entry = _Entry(
            experiment_id=experiment_id,
            name=spec.run,
            tags={**tags(spec, candidate.table), **tested},
            parameters={**candidate.model.named, "seed": spec.seed, **candidate.parameters},
            numbers={**candidate.numbers, **scored},
            folder=folder,
        )
        return patiently("MLflow", spec.patience, lambda: _log(entry, run_id))


def verdict(spec: LearningSpec, run: Run) -> Verdict:
    """Of a finished run: its model, for a gate to judge."""
    notes = [run.data.tags[tracking.NOTES]] if tracking.NOTES in run.data.tags else []
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason="; ".join([f"MLflow run {run.info.run_id} has its model", *notes]),
        numbers=dict(run.data.metrics),
        outputs={"model": run.info.run_id},
    )


def _keep(table: Read, folder: Path) -> dict[str, str]:
    """Write the rows that the model is judged by; the tags with their digests, by which they are found and verified."""
    rows, groups = kept.to_csv(table.test, table.schema), kept.groups(table.test_groups)
    digest = hashlib.sha256(rows).hexdigest()
    _write(folder, tracking.rows_path(digest), rows)
    if not groups:
        return {tracking.TEST_DIGEST: digest}
    of_groups = hashlib.sha256(groups).hexdigest()
    _write(folder, tracking.groups_path(of_groups), groups)
    return {tracking.TEST_DIGEST: digest, tracking.GROUPS_DIGEST: of_groups}


def _write(folder: Path, path: str, content: bytes) -> None:
    (folder / ARTIFACTS / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / ARTIFACTS / path).write_bytes(content)


def _staged(candidate: Candidate, folder: Path) -> dict[str, float]:
    """The model and all that lies beside it as files; its scores."""
    data, table = candidate.spec.data, candidate.table
    columns, classes = learning.features(data, table.schema), learning.classes(data, table.schema)
    saving = Saving(features=columns, task=data.task, example=naive(table.training[columns.names].head(2)))
    candidate.model.save(folder / MODEL_FOLDER, saving)
    for path, content in _files(candidate):
        _write(folder, path, content)
    numbers: dict[str, float] = {"training_rows": table.training_rows.rows, "test_rows": len(table.test)}
    for part, rows in (("training", table.training), ("test", table.test)):
        given = ask.asked(folder / MODEL_FOLDER, rows[columns.names], data.task, classes)
        found = scores(data.task, learning.truth(data, rows), given)
        numbers |= {f"{part}_{name}": value for name, value in found.items()}
    _draw(candidate, given, folder / ARTIFACTS / "pictures")
    return numbers


def _files(candidate: Candidate) -> Iterator[tuple[str, bytes]]:
    """What lies beside the model and the rows that it is judged by: what these are like, and what ran."""
    table = candidate.table
    yield tracking.SCHEMA, table.schema.to_json().encode()
    yield tracking.TRAINING_ROWS, table.training_rows.to_json().encode()
    yield tracking.TEST_ROWS, table.test_rows.to_json().encode()
    for name, content in candidate.model.ran.items():
        yield f"code/{name}", content
    if PATH.is_file():
        yield f"code/{PATH.name}", PATH.read_bytes()


def _draw(candidate: Candidate, given: Answers, folder: Path) -> None:
    data, estimator = candidate.spec.data, candidate.model.estimator
    columns, _ = learning.sides(data, candidate.table.test)
    true = learning.truth(data, candidate.table.test)
    matters = None if estimator is None else importance.of(estimator, columns, true, data.task)
    folder.mkdir()
    for name, figure in pictures.of(data.task, true, given, matters):
        figure.savefig(folder / f"{name}.png")


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """What goes into MLflow."""

    experiment_id: str
    name: str
    tags: Mapping[str, str]
    parameters: Mapping[str, Any]
    numbers: Mapping[str, float]
    folder: Path


def _log(entry: _Entry, run_id: str | None) -> Run:
    client = tracking.client()
    run_id = run_id or client.create_run(entry.experiment_id, tags=dict(entry.tags), run_name=entry.name).info.run_id
    try:
        client.log_artifacts(run_id, str(entry.folder / ARTIFACTS))
        _log_model(entry, run_id)
        client.set_terminated(run_id, "FINISHED")
    except BaseException:
        with suppress(Exception):  # it may be away
            client.set_terminated(run_id, "FAILED")
        raise
    return client.get_run(run_id)


def _log_model(entry: _Entry, run_id: str) -> None:
    """The model with its scores; the run names it when it is whole."""
    from mlflow.entities import LoggedModelOutput, Metric, Param, RunTag
    from mlflow.models import Model

    client, now = tracking.client(), int(time.time() * 1000)
    parameters = {name: str(value) for name, value in entry.parameters.items()}
    made = client.create_logged_model(
        entry.experiment_id, name=tracking.MODEL, source_run_id=run_id, tags=dict(entry.tags), params=parameters
    )
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0, model_id=made.model_id) for name, value in entry.numbers.items()],
        params=[Param(name, value) for name, value in parameters.items()],
        tags=[RunTag(name, value) for name, value in entry.tags.items()],  # a tuning's run has not all of them yet
    )
    described = Model.load(str(entry.folder / MODEL_FOLDER))
    described.run_id, described.model_id, described.model_uuid = run_id, made.model_id, made.model_id
    described.artifact_path = made.artifact_location
    described.save(str(entry.folder / MODEL_FOLDER / "MLmodel"))
    client.log_model_artifacts(made.model_id, str(entry.folder / MODEL_FOLDER))
    client.finalize_logged_model(made.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
