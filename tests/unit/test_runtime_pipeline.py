"""A pipeline in its container: what its package may ask for, what is kept of its stages, and what its model becomes.
That kfp runs it is tried on the node: its SDK can't be beside Pulumi's, which wants another protobuf."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas
import pytest
import yaml
from ml_runtime import pipeline, pipeline_package, pipeline_spec, tracking
from ml_runtime.errors import RunError, SpecError
from ml_runtime.pipeline import Stage
from ml_runtime.pipeline_package import Package
from ml_runtime.pipeline_spec import PipelineSpec
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from support import learned, s3

OUTPUT = "s3://datasets/pipelines/"
DESCRIBED = {"run": "flow-1", "patience": 1, "pipeline": "flow.yaml", "output": OUTPUT}
MODELLED = {**DESCRIBED, "model": "flowers", "data": learned.DESCRIBED["data"]}
INSTALLS = (
    "PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet 'kfp==2.17.3' '--no-deps' && {} \"$0\" \"$@\""
)
RUNS = ["sh", "-ec", "python3 -m kfp.dsl.executor_main", "def train(): ..."]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Any:
    with s3.store(monkeypatch) as found:
        yield found


def executor(*wanted: str, command: list[str] | None = None) -> dict[str, Any]:
    installs = " && ".join(f"python3 -m pip install --quiet {each}" for each in wanted)
    script = ["sh", "-c", INSTALLS.format(f"{installs} && " if wanted else "")]
    return {"container": {"image": "python:3.11", "command": [*script, *RUNS] if command is None else command}}


def package(folder: Path, *more: Any, parameters: Any = None, **executors: Any) -> Package:
    content = {
        "root": {"inputDefinitions": {"parameters": parameters or {}}},
        "deploymentSpec": {"executors": {f"exec-{name}": each for name, each in executors.items()}},
    }
    path = folder / "flow.yaml"
    path.write_text(yaml.safe_dump_all([content, *more]))
    return pipeline_package.of(path).here()


def test_a_stage_starts_without_an_installation_of_what_is_here(tmp_path: Path) -> None:
    found = package(tmp_path, train=executor("'pandas>=2'", "'nothing-of-it; python_version<\"3\"'"), plain=executor())
    for stage in found.content["deploymentSpec"]["executors"].values():
        assert stage["container"]["command"] == RUNS


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (
            executor("'pandas==1.0'"),
            f"train wants pandas==1.0 .packages_to_install., and the one here is {pandas.__version__}",
        ),
        (executor("'no-such-package'"), "train wants no-such-package .packages_to_install., and it is not here"),
        (executor("git+https://x.test/y"), "and that names no package and version"),
        (executor(command=["Rscript", "/a.R"]), "stage train is the command of an image, python:3.11"),
    ],
)
def test_a_stage_that_wants_what_is_not_here_is_refused(stage: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=said):
        package(tmp_path, train=stage)


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        ({"secretAsEnv": [{"keyToEnv": [{"envVar": "TOKEN"}]}]}, None),
        ({"secretAsEnv": [{"keyToEnv": [{"envVar": "OTHER"}]}]}, "a secret as OTHER: name one of the stack's by"),
        ({"pvcMount": [{"mountPath": "/tmp"}]}, None),
        ({"pvcMount": [{"mountPath": "/no-data"}]}, "a volume at /no-data: name its claim by `volumes`"),
        ({"nodeSelector": {}}, "nodeSelector, and all stages are in one pod here: take it out"),
    ],
    ids=str,
)
def test_what_a_stage_asks_of_kubernetes_is_what_the_pod_of_all_has_or_is_refused(
    asked: dict[str, Any], lacking: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-train": asked}}}}}
    if lacking is None:
        assert package(tmp_path, platform, train=executor())
        return
    with pytest.raises(RunError, match=f"stage train asks Kubernetes for {lacking}"):
        package(tmp_path, platform, train=executor())


PARAMETERS = {
    "rows": {"parameterType": "STRING"},
    "trees": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0},
    "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.1},
    "deep": {"parameterType": "BOOLEAN", "isOptional": True},
}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rows": "a", "tree": 3}, "parameters.tree is no parameter of the pipeline; it has deep, rate, rows, trees"),
        ({"trees": 3}, "parameters.rows is missing, and the pipeline has no value for it"),
        ({"rows": 3}, "parameters.rows is 3; the pipeline takes STRING"),
        ({"rows": "a", "trees": 1.5}, "parameters.trees is 1.5; the pipeline takes NUMBER_INTEGER"),
        ({"rows": "a", "trees": True}, "parameters.trees is True; the pipeline takes NUMBER_INTEGER"),
        ({"rows": "a", "deep": 1}, "parameters.deep is 1; the pipeline takes BOOLEAN"),
    ],
)
def test_parameters_that_the_pipeline_does_not_take_are_refused(
    given: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=said):
        package(tmp_path, parameters=PARAMETERS).arguments(given)


def test_a_whole_number_is_a_fraction_where_the_pipeline_takes_one(tmp_path: Path) -> None:
    found = package(tmp_path, parameters=PARAMETERS).arguments({"rows": "a", "rate": 1, "deep": False})
    assert found == {"rows": "a", "rate": 1.0, "deep": False}
    assert isinstance(found["rate"], float)


@pytest.mark.parametrize("text", ["{", "a: 1", "[]", ""])
def test_what_is_no_package_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_text(text)
    with pytest.raises(RunError, match=r"flow.yaml is no (YAML|package of a pipeline)"):
        pipeline_package.of(tmp_path / "flow.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pipeline": "flow.txt"}, "pipeline is 'flow.txt'; it must be the name of a .py or a .yaml file"),
        ({"output": "s3://datasets/x"}, "output is 's3://datasets/x'; it must be a prefix, with a / at its end"),
        ({"model": "m", "data": {"uri": "sklearn:iris"}}, "data.target is missing"),
        ({"stages": 3}, "unknown key stages"),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        pipeline_spec.parse({**DESCRIBED, **change})


def test_the_clock_makes_another_run_of_the_same_description(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pipeline_spec.parse(DESCRIBED).run == "flow-1"
    monkeypatch.setenv("ML_JOB", "flow-29000")
    assert str(pipeline_spec.parse(DESCRIBED).artifacts) == f"{OUTPUT}flow-29000/"


def stage(root: Path, name: str, outputs: dict[str, Any], **files: str) -> Stage:
    folder = root / "flow" / name
    folder.mkdir(parents=True)
    (folder / pipeline.OUTPUTS).write_text(json.dumps(outputs))
    for path, content in files.items():
        (folder / path).write_text(content)
    return Stage(folder=folder)


def run(spec: PipelineSpec, folder: Path, monkeypatch: pytest.MonkeyPatch, *stages: Stage) -> Any:
    """The run in which kfp has run these stages; what it was given is kept as `given.json`."""

    def ran(_: Package, arguments: dict[str, Any], root: Path) -> list[Stage]:
        name = pipeline.ROWS
        rows = {name: len(pandas.read_parquet(arguments[name]))} if name in arguments else {}
        (folder / "given.json").write_text(json.dumps({**arguments, **rows}))
        return [*stages]

    monkeypatch.setattr(pipeline, "_run", ran)
    return pipeline.run(spec, folder)


def test_what_stages_leave_is_in_the_store_and_their_numbers_are_in_the_verdict(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, train=executor())
    scored = {"metrics": {"artifacts": [{"metadata": {"recall": 0.5, "by": "me"}}]}}
    stages = [
        stage(tmp_path, "ingest", {"parameterValues": {"Output": 150}}, table="rows"),
        stage(tmp_path, "train", {"parameterValues": {"good": True, "name": "x"}, "artifacts": scored}),
    ]
    verdict = run(pipeline_spec.parse(DESCRIBED), tmp_path, monkeypatch, *stages)
    assert verdict.numbers == {"ingest": 150, "train.good": 1, "train.recall": 0.5}
    assert verdict.outputs == {"artifacts": f"{OUTPUT}flow-1/"}
    assert verdict.reason == "stages that ran: ingest, train"
    assert store.objects["datasets/pipelines/flow-1/ingest/table"] == b"rows"
    assert "datasets/pipelines/flow-1/pipeline.yaml" in store.objects


def test_a_table_that_a_stage_leaves_is_named_with_its_digest_and_one_that_is_not_there_is_said(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, clean=executor())
    spec = pipeline_spec.parse({**DESCRIBED, "table": True})
    made = stage(tmp_path, "clean", {"artifacts": {"table": {"artifacts": [{}]}}}, table="rows")
    found = run(spec, tmp_path, monkeypatch, made).outputs
    assert found["uri"] == f"{OUTPUT}flow-1/clean/table"
    assert found["table"] == hashlib.sha256(store.objects["datasets/pipelines/flow-1/clean/table"]).hexdigest()
    with pytest.raises(RunError, match="no stage has left a table; one leaves it as its output"):
        run(spec, tmp_path, monkeypatch)


def model(folder: Path) -> None:
    table = learned.read()
    columns = table.training[["length", "colour"]]
    fitted = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=10.0))
    fitted.fit(columns, table.training["species"])
    signature = infer_signature(columns, fitted.predict(columns))
    mlflow.sklearn.save_model(fitted, str(folder), signature=signature, serialization_format="skops")


def test_the_model_that_a_stage_leaves_is_a_candidate_that_the_test_rows_of_the_data_judge(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    package(tmp_path, parameters={pipeline.ROWS: {"parameterType": "STRING"}}, train=executor())
    trained = stage(tmp_path, "train", {"artifacts": {"model": {"artifacts": [{"metadata": {"depth": 3}}]}}})
    model(trained.folder / "model")
    spec = pipeline_spec.parse(MODELLED)
    verdict = run(spec, tmp_path, monkeypatch, trained)
    assert json.loads((tmp_path / "given.json").read_text()) == {pipeline.ROWS: 90}, "the training rows alone"
    found = tracking.client().get_run(verdict.outputs["model"])
    assert found.data.metrics["test_accuracy"] > 0.9
    assert (found.data.metrics["train.depth"], found.data.params["pipeline"]) == (3, "flow.yaml")
    again = run(spec, tmp_path, monkeypatch)
    assert again.outputs["model"] == verdict.outputs["model"], "what has finished is not run again"


def test_without_a_model_of_a_stage_the_champion_stays_and_where_there_is_none_that_is_said(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned.mlflow_in(tmp_path / "mlflow", monkeypatch)
    package(tmp_path, detect=executor())
    found = stage(tmp_path, "detect", {"parameterValues": {"Output": 0.95}})
    with pytest.raises(
        RunError, match=r"no stage has left a model .stages that ran: detect., and flowers has no champ"
    ):
        run(pipeline_spec.parse(MODELLED), tmp_path, monkeypatch, found)
    monkeypatch.setattr(tracking, "version", lambda *_: type("Version", (), {"version": "3", "run_id": "r3"}))
    verdict = run(pipeline_spec.parse(MODELLED), tmp_path, monkeypatch, found)
    assert (verdict.rule, verdict.outputs["model"]) == ("kept", "r3")
    assert verdict.numbers == {"detect": 0.95}


def test_a_stage_that_fails_is_named_with_its_last_lines() -> None:
    failure = RuntimeError("Pipeline \x1b[95m'flow'\x1b[0m ... Inner task failed: \x1b[96m'train'\x1b[0m inside 'c-1'.")
    assert pipeline._said(failure, ["ValueError: too many"]) == "stage train failed:\nValueError: too many"
    assert pipeline._said(RuntimeError("no such thing"), []) == "the pipeline failed: no such thing"


def test_the_log_hands_on_all_and_keeps_the_lines_of_stages(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    log = pipeline._Log(sys.stdout)
    for text in ("INFO - Executing\n", "    one\n    t", "wo\n", "\n", "    \n", "-----\n"):
        log.write(text)
    assert [*log.lines] == ["one", "two"]
    assert capsys.readouterr().out.startswith("INFO - Executing\n    one\n    two\n")
