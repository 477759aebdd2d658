"""Runs by an image of one's own as they are declared: what may be said of them, their keys, and their three steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ml_platform import pods
from ml_platform.configuration import SettingsError, validate
from ml_policies.catalog import POLICIES
from ml_policies.engine.judge import Judge
from ml_workloads.settings import WorkloadsSettings
from support import stacks, work
from support.policies import findings, recorded
from support.recorder import Recorder
from support.work import IRIS, changed

IMAGE = f"registry.elsewhere.test/team/train@sha256:{'1' * 64}"
COMMAND = ["Rscript", "/app/train.R"]
PARAMETERS = {"depth": 3}
SEARCH = {"operator": "ray", "space": {"C": {"uniform": [0, 1]}}}


def run(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, runs={"iris": {"image": IMAGE, "command": COMMAND, "parameters": PARAMETERS, **changes}})


@pytest.fixture(scope="module")
def tree() -> Recorder:
    return work.declare(run(resources={"gpu": 2}))


def steps(tree: Recorder) -> dict[str, dict[str, Any]]:
    pod = work.pod(tree)
    return {each["name"]: each for each in (*pod["initContainers"], *pod["containers"])}


def env(step: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in step["env"]}


@pytest.mark.parametrize(
    ("settings", "path", "given", "rule"),
    [
        (run(image="team/train:1"), "runs.iris.image", '"team/train:1"', "a tag is another image with the next push"),
        (run(image="team/train@sha256:12"), "runs.iris.image", '"team/train@sha256:12"', "`skopeo inspect docker://"),
        (run(script="own.py"), "runs.iris.script", '"own.py"', "the image has a program of its own"),
        (run(estimator="xgboost"), "runs.iris.estimator", '"xgboost"', "the image has a program of its own"),
        (run(folds=5), "runs.iris.folds", "5", "the image has a program of its own"),
        (run(modules=["a.py"]), "runs.iris.modules", '["a.py"]', "imported by a script"),
        (run(image=None), "runs.iris.command", '["Rscript"', "it runs in an `image` of one's own"),
        (run(command=[]), "runs.iris.command", "[]", "the first is the program"),
        (run(command="Rscript /app/train.R"), "runs.iris.command", '"Rscript', "the first is the program"),
        (run(command=["sleep", 5]), "runs.iris.command", '["sleep", 5]', "it is a list of texts"),
        (
            changed(IRIS, runs={"wide": {**SEARCH, "data": "iris", "model": "iris", "image": IMAGE}}),
            "runs.wide.image", f'"{IMAGE}"', "the program of an image learns once",
        ),
        (changed(run(), runs={"wide": {**SEARCH, "of": "iris"}}), "runs.wide.of", '"iris"', "a run without an image"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_refused_by_its_key(settings: dict[str, Any], path: str, given: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", settings, WorkloadsSettings)
    message = str(refused.value)
    assert f"ml-platform:workloads.{path} is {given}" in message
    assert rule in message
    assert f"--path 'ml-platform:workloads.{path}" in message


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"image": IMAGE.replace("1", "2")}, True),
        ({"command": [*COMMAND, "--fast"]}, True),
        ({"command": None}, True),
        ({"parameters": {}}, True),
        ({"seed": 5}, True),
        ({"resources": {"gpu": 1}, "timeout": 60, "retries": 0, "scratch": "5Gi"}, False),
    ],
    ids=["image", "command", "the image's own entrypoint", "parameters", "seed", "how it is run"],
)
def test_a_run_is_new_when_what_it_does_is_new(changes: dict[str, Any], again: bool, tree: Recorder) -> None:
    assert (work.key(work.declare(run(**changes))) != work.key(tree)) is again


def test_a_run_is_told_which_image_runs_and_that_is_the_code_of_the_record(tree: Recorder) -> None:
    told = work.told(tree)
    assert (told["image"], told["command"]) == (IMAGE, COMMAND)
    assert (told["parameters"], told["seed"]) == (PARAMETERS, 0)
    assert told["code_version"] == f"sha256:{'1' * 64}"
    assert {"estimator", "folds"} & told.keys() == set()


def test_the_program_of_the_image_stands_between_two_steps_of_the_platform(tree: Recorder) -> None:
    training = stacks.images(["training"])["training"]
    found = steps(tree)
    assert {name: step["image"] for name, step in found.items()} == {
        "rows": training, "train": IMAGE, "finish": training,
    }  # fmt: skip
    assert (found["rows"]["args"], found["finish"]["args"]) == (["ml_runtime.prepare"], ["ml_runtime.finish"])
    assert (found["train"]["command"], "args" in found["train"]) == (COMMAND, False)
    assert "command" not in steps(work.declare(run(command=None)))["train"]
    gpus = {name: step["resources"]["limits"].get("nvidia.com/gpu") for name, step in found.items()}
    assert gpus == {"rows": None, "train": "2", "finish": None}


def test_the_program_of_the_image_sees_neither_test_rows_nor_keys_nor_a_token(tree: Recorder) -> None:
    pod, found = work.pod(tree), steps(tree)
    given = env(found["train"])
    mounts = {each["name"]: each for each in found["train"]["volumeMounts"]}
    assert set(mounts) == {"rows", "saved", "own-tmp"}
    assert mounts["rows"]["readOnly"] is True
    for name in ("ML_RUN", "ML_TRAINING_ROWS", "ML_SCHEMA"):
        assert given[name].startswith(f"{mounts['rows']['mountPath']}/")
    assert given["ML_MODEL"].startswith(f"{mounts['saved']['mountPath']}/")
    assert not [name for name in given if name.startswith(("AWS_", "MLFLOW_TRACKING")) or name == "ML_KEPT"]
    assert pod["automountServiceAccountToken"] is False
    assert {name for name, step in found.items() if "token" in json.dumps(step["volumeMounts"])} == {"finish"}
    assert {name for name, step in found.items() if "AWS_ENDPOINT_URL_S3" in env(step)} == {"rows"}
    marks = tree.inputs(work.JOB, "iris")["spec"]["template"]["metadata"]["annotations"]
    assert marks["eks.amazonaws.com/skip-containers"] == "train"
    assert {each["name"] for each in pod["volumes"]} == {
        "description", "tmp", "rows", "kept", "saved", "own-tmp", "token",
    }  # fmt: skip


def test_only_a_program_that_a_signal_has_ended_is_tried_again(tree: Recorder) -> None:
    rules = tree.inputs(work.JOB, "iris")["spec"]["podFailurePolicy"]["rules"]
    said = {rule["onExitCodes"]["containerName"]: rule["onExitCodes"] for rule in rules}
    assert {rule["action"] for rule in rules} == {"FailJob"}
    for step in ("rows", "finish"):
        assert (said[step]["operator"], said[step]["values"]) == ("In", [pods.USER_ERROR])
    assert said["train"]["operator"] == "NotIn"
    assert {137, 143} <= set(said["train"]["values"])
    assert {1, 3, 127, 128, 255}.isdisjoint(said["train"]["values"])
    assert steps(tree)["train"]["terminationMessagePolicy"] == "FallbackToLogsOnError"


@pytest.mark.parametrize(
    ("policy", "parameters", "words"),
    [
        ("image-registry", {"registries": ["registry.test"]}, "container train runs 'registry.elsewhere.test/team/tr"),
        ("bounded-run-size", {"gpus": 1}, "its pods take 2 of gpus together"),
    ],
)
def test_the_policies_see_the_image_and_what_it_takes(
    policy: str, parameters: dict[str, Any], words: str, tree: Recorder
) -> None:
    judge = Judge([each for each in POLICIES if each.name == policy], [])
    judge.configure(policy, "mandatory", parameters)
    (found,) = findings(judge, recorded(tree))
    assert words in found.message
