"""A run of a pipeline as it is declared: what it is told, what makes another one of it, its rights and its clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from ml_platform.configuration import SettingsError
from ml_workloads.settings import WorkloadsSettings
from support import recorder, stacks, work

RUN: dict[str, Any] = {
    "operator": "kfp",
    "pipeline": "workloads/examples/retraining/pipeline.py",
    "inputs": {"flowers": "raw"},
    "parameters": {"model": "flowers", "least": 0.7},
    "output": "s3://datasets/pipelines/",
}
RAW = {"uri": "s3://datasets/raw.csv", "version": "1"}
CANDIDATE = {"data": "iris", "model": "iris"}


def settings(**changes: Any) -> dict[str, Any]:
    return work.changed(work.IRIS, data={"raw": RAW}, runs={"flow": {**RUN, **changes}})


def declare(**changes: Any) -> recorder.Recorder:
    return work.declare(settings(**changes))


def package(folder: Path, content: Any = None, *more: Any) -> dict[str, Any]:
    """The settings of a run of a compiled package."""
    parameters = {
        "flowers": {"parameterType": "STRING"},
        "least": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 1},
    }
    whole = {"root": {"inputDefinitions": {"parameters": parameters}}} if content is None else content
    (folder / "flow.yaml").write_text(whole if isinstance(whole, str) else yaml.safe_dump_all([whole, *more]))
    return {"pipeline": "flow.yaml", "parameters": {}}


def test_it_is_a_job_in_the_image_of_pipelines_that_is_told_where_data_are() -> None:
    tree = declare()
    told = work.told(tree, "flow")
    assert told["parameters"] == {**RUN["parameters"], "flowers": "s3://datasets/raw.csv"}
    assert (told["pipeline"], told["output"]) == ("pipeline.py", "s3://datasets/pipelines/")
    (container,) = work.pod(tree, "flow")["containers"]
    assert container["image"] == stacks.images(["pipeline"])["pipeline"]
    assert container["args"] == ["ml_runtime.pipeline"]
    assert "@dsl.pipeline" in tree.inputs(work.CONFIGMAP, "flow-run")["data"]["pipeline.py"]
    assert WorkloadsSettings.model_validate(settings()).needs(None).images == ("mlserver", "pipeline", "training")


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"parameters": {"model": "flowers", "least": 0.8}}, True),
        ({"pipeline": "workloads/examples/retraining/data.py"}, True),
        ({"modules": ["workloads/examples/put.py"]}, True),
        ({"inputs": {"flowers": "iris"}}, True),
        (CANDIDATE, True),
        ({"api": "http://ml-pipeline.kubeflow:8888"}, False),
        ({"schedule": "0 3 * * *", "services": ["flowers"], "retries": 5, "timeout": 60}, False),
    ],
    ids=str,
)
def test_what_it_does_makes_another_run_and_how_it_does_it_none(change: dict[str, Any], again: bool) -> None:
    assert (work.key(declare(**change), "flow") != work.key(declare(), "flow")) is again


def test_its_model_is_judged_by_the_gate_of_its_block_and_without_a_model_there_is_no_gate() -> None:
    tree = declare(**CANDIDATE)
    assert work.told(tree, "flow")["data"]["target"] == "species"
    assert work.told(tree, "flow-gate")["model"] == "iris"
    assert tree.inputs("RunOutcome", "flow")["leaves"] == "model"
    assert "flow-gate" not in work.keys(declare())
    assert declare().inputs("RunOutcome", "flow")["leaves"] == "artifacts"


def test_the_table_of_a_stage_is_data_that_others_learn_from() -> None:
    learns = {"flow": {**RUN, "table": {"target": "species"}}, "after": {"data": "flow.table", "model": "iris"}}
    tree = work.declare(work.changed(work.IRIS, data={"raw": RAW}, runs=learns))
    assert work.told(tree, "flow")["table"] is True
    assert tree.inputs("RunOutcome", "flow")["leaves"] == "table"
    told = work.told(tree, "after")["data"]
    assert (told["target"], told["format"]) == ("species", "parquet")
    assert {"uri", "sha256"} < set(told)
    assert any(urn.endswith("RunOutcome::flow") for urn in tree.find(work.CONFIGMAP, "after-run").dependencies)


def test_its_account_may_write_its_verdict_and_change_the_services_that_it_names() -> None:
    verdict, *rights = declare(services=["flowers"]).inputs("Role", "flow-run")["rules"]
    assert verdict["resources"] == ["configmaps"]
    services = {"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"]}
    assert rights == [
        {**services, "resourceNames": ["flowers"], "verbs": ["get", "patch", "update", "delete"]},
        {**services, "verbs": ["create"]},
    ]
    assert len(declare().inputs("Role", "flow-run")["rules"]) == 1


def test_the_clock_starts_it_again_and_never_beside_itself() -> None:
    tree = declare(schedule="0 3 * * *", **CANDIDATE)
    clock = tree.inputs("CronJob", "flow-clock")
    assert (clock["spec"]["schedule"], clock["spec"]["concurrencyPolicy"]) == ("0 3 * * *", "Forbid")
    again = clock["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert again == work.pod(tree, "flow")
    assert any(urn.endswith("RunOutcome::flow") for urn in tree.find("CronJob", "flow-clock").dependencies)
    assert tree.inputs("RunOutcome", "flow")["repeats"] is True
    assert work.key(tree, "flow") == work.key(declare(**CANDIDATE), "flow"), "the clock makes no other run"
    gates = [work.key(each, "flow-gate") for each in (tree, declare(**CANDIDATE))]
    assert gates[0] != gates[1], "each model that it leaves is judged"
    itself = next(each for each in again["containers"][0]["env"] if each["name"] == "ML_JOB")
    assert itself["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}


def test_kubeflow_pipelines_runs_it_where_its_api_is_named() -> None:
    assert work.told(declare(api="https://kfp.test/pipeline"), "flow")["api"] == "https://kfp.test/pipeline"
    assert work.told(declare(api="platform"), "flow")["api"] == "http://kfp.test:8888"
    assert "api" not in work.told(declare(), "flow")


def test_claims_are_mounted_for_all_stages() -> None:
    volumes = {"/data": "ml-data", "/data/kept": "ml-data", "/other": "other"}
    spec = work.pod(declare(volumes=volumes), "flow")
    claims = [each["persistentVolumeClaim"]["claimName"] for each in spec["volumes"] if "persistentVolumeClaim" in each]
    assert claims == ["ml-data", "other"]
    mounts = {each["mountPath"]: each["name"] for each in spec["containers"][0]["volumeMounts"]}
    assert volumes.items() < mounts.items()


def test_secrets_of_the_stack_are_variables_of_the_stages_and_nothing_else_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(SettingsError, match=r"workloads:token is not set: it holds what the stages of runs.flow find"):
        declare(secrets={"API_TOKEN": "token"})
    monkeypatch.setattr(pulumi.Config, "get_secret", lambda *_: pulumi.Output.secret("very secret"))
    tree = declare(secrets={"API_TOKEN": "token"})
    given = next(each for each in work.pod(tree, "flow")["containers"][0]["env"] if each["name"] == "API_TOKEN")
    assert given["valueFrom"] == {"secretKeyRef": {"name": f"{work.key(tree, 'flow')}-secrets", "key": "token"}}
    assert tree.inputs("Secret", "flow-secrets")["stringData"] == {"token": "[secret]"}
    assert "very secret" not in str([work.told(tree, "flow"), work.pod(tree, "flow")])
    assert work.key(tree, "flow") == work.key(declare(), "flow"), "another secret is no other run"


def kubernetes(**asked: Any) -> dict[str, Any]:
    """What a package has of a stage to which kfp.kubernetes gives this."""
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-train": asked}}}}}


VOLUME = kubernetes(pvcMount=[{"mountPath": "/data"}])
SECRET = kubernetes(secretAsEnv=[{"keyToEnv": [{"envVar": "TOKEN"}]}])


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        ([], {}, None),
        (["{"], {}, "'flow.yaml', which is no YAML: "),
        (["a: 1"], {}, "'flow.yaml', which is no package of a pipeline of version 2. Compile it with:"),
        (
            [],
            {"parameters": {"trees": 3}},
            "flow.parameters.trees is no parameter of flow.yaml; the pipeline has flowers",
        ),
        ([], {"inputs": {}}, "flow.parameters.flowers is missing, and flow.yaml has no value for it"),
        ([None, VOLUME], {}, "whose stage train has a volume at /data. Say which claim it is:"),
        ([None, VOLUME], {"api": "http://ml-pipeline.kubeflow:8888"}, None),
        ([None, VOLUME], {"volumes": {"/data": "ml-data"}}, None),
        ([None, SECRET], {}, "whose stage train has a secret as TOKEN. Say which one of the stack it is:"),
        (
            [None, kubernetes(nodeSelector={})],
            {},
            "whose stage train asks Kubernetes for nodeSelector: here all stages",
        ),
    ],
    ids=str,
)
def test_a_preview_reads_a_compiled_package(
    content: list[Any], changes: dict[str, Any], said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    block = {**package(tmp_path, *content), **changes}
    if said is None:
        assert "flow.yaml" in declare(**block).inputs(work.CONFIGMAP, "flow-run")["data"]
        return
    with pytest.raises(SettingsError) as refused:
        declare(**block)
    assert said in str(refused.value)
