"""Runs a pipeline of Kubeflow Pipelines: there, where the run names its API, else by the local runner of kfp, whose
stages are processes of this container, one after the other as conditions, loops and retries say.

What these leave, and the compiled package, are put into the object store. If the run has a `model`, the artifact
`model` that a stage has left last is its candidate: a folder that save_model of a flavour of MLflow has made, from rows
of which a parameter `training_rows` names the file. Where no stage leaves one, since nothing had to be made anew, the
champion stays.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_runtime import (
    candidate,
    command,
    handover,
    pipeline_api,
    pipeline_package,
    pipeline_spec,
    store,
    tables,
    tracking,
)
from ml_runtime.candidate import Candidate
from ml_runtime.errors import RunError
from ml_runtime.made import Saved
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.pipeline_api import Api
from ml_runtime.pipeline_package import Package
from ml_runtime.pipeline_spec import Learned, PipelineSpec
from ml_runtime.places import Stored
from ml_runtime.spec import PATH, is_number
from ml_runtime.tables import Read
from ml_runtime.tracking import CHAMPION
from ml_runtime.verdict import Verdict

ROWS, MODEL, TABLE = "training_rows", "model", "table"
"""The parameter with the file of the training rows, the artifact that is a candidate, and the one that is data."""
OUTPUTS, PACKAGE = "executor_output.json", "pipeline.yaml"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LINES, INDENT = 15, "    "
"""So many lines of a stage that failed are said; its lines are those that are indented."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage that ran."""

    folder: Path

    @property
    def outputs(self) -> Mapping[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / OUTPUTS).read_text())
        return found

    def artifact(self, name: str) -> Path | None:
        """Where it is, if the stage has left it."""
        return self.folder / name if name in self.outputs.get("artifacts", {}) else None

    @property
    def numbers(self) -> Iterator[tuple[str, float]]:
        """Those that it gives back, and those that its artifacts are described by."""
        artifacts = (each for found in self.outputs.get("artifacts", {}).values() for each in found["artifacts"])
        for values in (self.outputs.get("parameterValues", {}), *(each.get("metadata", {}) for each in artifacts)):
            for name, value in values.items():
                if is_number(value) or isinstance(value, bool):
                    known = self.folder.name if name == "Output" else f"{self.folder.name}.{name}"
                    yield known, float(value)


def run(spec: PipelineSpec, folder: Path = PATH.parent) -> Verdict:
    """The pipeline, its artifacts kept; the pipeline's file is in the folder.

    Raises:
        RunError: it does not compile, a stage has failed, or what it has left is no candidate.
        AwayError: a service was away for too long.
    """
    learned = spec.learned
    if learned:
        _, done = patiently("MLflow", spec.patience, lambda: tracking.begun(learned.model, spec.run))
        if done:
            return candidate.verdict(spec.learning(learned), done)
    package = pipeline_package.of(folder / spec.pipeline)
    if spec.api:
        return _elsewhere(spec, spec.api, package)
    return _here(spec, package.here())


def _elsewhere(spec: PipelineSpec, url: str, package: Package) -> Verdict:
    body = pipeline_api.body(package, package.arguments(spec.parameters), str(spec.artifacts))
    found = Api(url=url, patience=spec.patience).run(spec.run, body)
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"run {found} on Kubeflow Pipelines has succeeded",
        outputs={"artifacts": str(spec.artifacts)},
    )


def _here(spec: PipelineSpec, package: Package) -> Verdict:
    learned = spec.learned
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "root"
        table = tables.read(learned.data, spec.patience) if learned else None
        stages = _run(package, package.arguments(_given(spec, package, table, Path(name))), root)
        _keep(spec, package, stages)
        verdict = _verdict(spec, stages)
        if learned is None or table is None:
            return verdict
        return _candidate(spec, learned, table, package, stages) or _champion(spec, learned, verdict)


def _given(spec: PipelineSpec, package: Package, table: Read | None, folder: Path) -> dict[str, Any]:
    if table is None or ROWS not in package.parameters:
        return spec.parameters
    file = folder / f"{ROWS}.parquet"
    handover.write_rows(file, table)
    return {**spec.parameters, ROWS: str(file)}


class _Log(io.StringIO):
    """Hands on what is written, and keeps the last lines of stages alone."""

    def __init__(self, out: Any) -> None:
        super().__init__()
        self._out, self._begun = out, ""
        self.lines: deque[str] = deque(maxlen=LINES)

    def write(self, text: str, /) -> int:
        self._out.write(text)
        *whole, self._begun = (self._begun + text).split("\n")
        self.lines.extend(line[len(INDENT) :] for line in whole if line.startswith(INDENT) and line.strip())
        return len(text)

    def flush(self) -> None:
        self._out.flush()


def _run(package: Package, arguments: Mapping[str, Any], root: Path) -> list[Stage]:
    """All stages that ran, in the order in which they ended."""
    import yaml
    from kfp import components, local

    component = components.load_component_from_text(yaml.safe_dump(dict(package.content)))
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root))
    with redirect_stdout(_Log(sys.stdout)) as log:
        try:
            component(**arguments)
        except RuntimeError as failure:
            raise RunError(_said(failure, [*log.lines])) from failure
    ended = sorted(root.glob(f"*/*/{OUTPUTS}"), key=lambda path: path.stat().st_mtime_ns)
    return [Stage(folder=path.parent) for path in ended]


def _said(failure: Exception, lines: list[str]) -> str:
    text = COLOURS.sub("", str(failure))
    named = re.search(r"Inner task failed: '([^']+)'", text)
    return f"stage {named[1]} failed:\n" + "\n".join(lines) if named else f"the pipeline failed: {text}"


def _keep(spec: PipelineSpec, package: Package, stages: list[Stage]) -> None:
    import yaml

    _write(spec, PACKAGE, yaml.safe_dump(dict(package.content)).encode())
    for stage in stages:
        for path in sorted(each for each in stage.folder.rglob("*") if each.is_file()):
            _write(spec, f"{stage.folder.name}/{path.relative_to(stage.folder)}", path.read_bytes())


def _write(spec: PipelineSpec, path: str, content: bytes) -> None:
    below = spec.artifacts
    store.write(Stored(bucket=below.bucket, key=f"{below.key}{path}"), content, spec.patience)


def _last(stages: list[Stage], name: str) -> Path | None:
    """The artifact of this name that was left last."""
    found = [path for stage in stages if (path := stage.artifact(name))]
    return found[-1] if found else None


def _verdict(spec: PipelineSpec, stages: list[Stage]) -> Verdict:
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="finished",
        reason=f"stages that ran: {', '.join(stage.folder.name for stage in stages) or 'none'}",
        numbers=_numbers(stages),
        outputs={"artifacts": str(spec.artifacts), **(_table(spec, stages) if spec.table else {})},
    )


def _table(spec: PipelineSpec, stages: list[Stage]) -> dict[str, str]:
    """The digest of the table, and where it is."""
    found = _last(stages, TABLE)
    if found is None or not found.is_file():
        raise RunError(
            f"no stage has left a table; one leaves it as its output `{TABLE}: Output[Dataset]`, a parquet file at its "
            "path"
        )
    digest = store.digest(found.read_bytes())
    return {TABLE: digest, "uri": f"{spec.artifacts}{found.parent.name}/{TABLE}"}


def _numbers(stages: list[Stage]) -> dict[str, float]:
    return dict(number for stage in stages for number in stage.numbers)


def _candidate(
    spec: PipelineSpec, learned: Learned, table: Read, package: Package, stages: list[Stage]
) -> Verdict | None:
    model = _last(stages, MODEL)
    if model is None:
        return None
    ran = {name: path.read_bytes() for name, path in package.code.named.items()}
    made = Candidate(
        spec=spec.learning(learned),
        table=table,
        model=Saved(
            folder=model,
            by="the pipeline",
            place=f"the artifact {MODEL} of stage {model.parent.name}",
            named={"pipeline": spec.pipeline},
            ran=ran,
        ),
        parameters=spec.parameters,
        numbers=_numbers(stages),
    )
    experiment = patiently("MLflow", spec.patience, lambda: tracking.experiment(learned.model))
    return candidate.verdict(made.spec, candidate.log(made, experiment))


def _champion(spec: PipelineSpec, learned: Learned, verdict: Verdict) -> Verdict:
    """The verdict where no stage has left a model: the champion's run is the one to be judged, and stays what it is."""
    champion = patiently("MLflow", spec.patience, lambda: tracking.version(learned.model, CHAMPION))
    if champion is None:
        raise RunError(
            f"no stage has left a model ({verdict.reason}), and {learned.model} has no champion yet; a stage leaves "
            f"one as its output `{MODEL}: Output[Model]`, by save_model of a flavour of MLflow"
        )
    return Verdict(
        run=spec.run,
        accepted=True,
        rule="kept",
        reason=f"no stage has left a model, and version {champion.version} stays; {verdict.reason}",
        numbers=verdict.numbers,
        outputs={**verdict.outputs, MODEL: str(champion.run_id)},
    )


def main() -> int:
    """The command."""

    def work(spec: PipelineSpec) -> Verdict:
        limit_client_retries()
        return run(spec)

    return command.run("ml_runtime.pipeline", __doc__, pipeline_spec.parse, work)


if __name__ == "__main__":
    sys.exit(main())
