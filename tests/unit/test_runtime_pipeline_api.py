"""A pipeline on Kubeflow Pipelines: started once, found again by its name, and told of as one that runs here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_runtime import patience, pipeline, pipeline_spec
from ml_runtime.errors import AwayError, RunError
from ml_runtime.pipeline_api import Api
from ml_runtime.verdict import Verdict
from support import kubeflow_api
from support.kubeflow_api import Pipelines

PLATFORM = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-train": {"pvcMount": []}}}}}}
TASK = {"cachingOptions": {"enableCache": True}, "componentRef": {"name": "comp-train"}}


@pytest.fixture
def pipelines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipelines]:
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.01)
    with kubeflow_api.running() as found:
        yield found


def run(pipelines: Pipelines, folder: Path, *platforms: Any, **described: Any) -> Verdict:
    container = {"image": "registry.test/r@sha256:1", "command": ["Rscript", "/train.R"]}
    content = {
        "root": {
            "dag": {"tasks": {"train": TASK}},
            "inputDefinitions": {"parameters": {"trees": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3}}},
        },
        "deploymentSpec": {"executors": {"exec-train": {"container": container}}},
    }
    (folder / "flow.yaml").write_text(yaml.safe_dump_all([content, *platforms]))
    told = {"run": "flow-1", "patience": 1, "pipeline": "flow.yaml", "output": "s3://datasets/p/", "api": pipelines.url}
    return pipeline.run(pipeline_spec.parse({**told, **described}), folder)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "Api", lambda **fields: Api(**fields, pause=0.01))


def test_it_is_started_with_its_parameters_its_root_and_nothing_from_a_cache(
    pipelines: Pipelines, tmp_path: Path
) -> None:
    verdict = run(pipelines, tmp_path, parameters={"trees": 5})
    (found,) = pipelines.runs
    assert found["display_name"] == "flow-1"
    assert found["runtime_config"] == {"parameters": {"trees": 5}, "pipeline_root": "s3://datasets/p/flow-1/"}
    assert found["pipeline_spec"]["root"]["dag"]["tasks"]["train"] == {**TASK, "cachingOptions": {}}
    assert verdict.outputs == {"artifacts": "s3://datasets/p/flow-1/"}
    assert verdict.reason == "run id-1 on Kubeflow Pipelines has succeeded"


def test_there_a_stage_may_be_an_image_and_ask_kubernetes_for_what_it_wants(
    pipelines: Pipelines, tmp_path: Path
) -> None:
    run(pipelines, tmp_path, PLATFORM)
    assert pipelines.runs[0]["pipeline_spec"]["platform_spec"] == PLATFORM
    assert "Rscript" in str(pipelines.runs[0]["pipeline_spec"]["pipeline_spec"])


@pytest.mark.parametrize("fault", [0, 503, 429], ids=["a lost answer", "an error", "too many"])
def test_a_request_that_fails_starts_nothing_twice(fault: int, pipelines: Pipelines, tmp_path: Path) -> None:
    pipelines.faults.append(fault)
    run(pipelines, tmp_path)
    assert len(pipelines.runs) == 1


def test_a_try_that_was_cut_off_goes_on_with_what_is_there(pipelines: Pipelines, tmp_path: Path) -> None:
    pipelines.create({"display_name": "another"})
    pipelines.create({"display_name": "flow-1"})
    assert run(pipelines, tmp_path).reason.startswith("run id-2 ")
    assert len(pipelines.runs) == 2


def test_a_run_that_failed_before_is_followed_by_another(pipelines: Pipelines, tmp_path: Path) -> None:
    pipelines.runs.append({"run_id": "id-1", "display_name": "flow-1", "left": ["FAILED"]})
    assert run(pipelines, tmp_path).reason.startswith("run id-2 ")


TASKS = [
    {"display_name": "flow", "state": "FAILED", "child_tasks": [{}]},
    {"display_name": "train", "state": "FAILED", "error": {"message": "out of memory"}},
    {"display_name": "ingest", "state": "SUCCEEDED"},
]


@pytest.mark.parametrize(
    ("ends", "state", "said"),
    [
        ({"run_details": {"task_details": TASKS}}, "FAILED", "^stage train failed: out of memory$"),
        ({"error": {"message": "no quota"}}, "FAILED", "the pipeline failed: no quota"),
        ({}, "CANCELED", "the pipeline failed: it is CANCELED"),
    ],
)
def test_a_run_that_fails_is_said_by_its_stages(
    ends: dict[str, Any], state: str, said: str, pipelines: Pipelines, tmp_path: Path
) -> None:
    pipelines.states, pipelines.ends = ["RUNNING", state], ends
    with pytest.raises(RunError, match=said):
        run(pipelines, tmp_path)


def test_what_the_api_refuses_is_said_and_not_tried_again(pipelines: Pipelines, tmp_path: Path) -> None:
    pipelines.faults.append(400)
    with pytest.raises(RunError, match=r"refuses POST /apis/v2beta1/runs: 400 .*fault 400"):
        run(pipelines, tmp_path)
    assert pipelines.runs == []


def test_an_api_that_is_away_for_too_long_is_named(pipelines: Pipelines, tmp_path: Path) -> None:
    pipelines.faults += [503] * 100
    with pytest.raises(AwayError, match="Kubeflow Pipelines was away for 0 s"):
        run(pipelines, tmp_path, patience=0.05)
