"""Files of a model on a volume as they are declared: the claim, the run that puts them there, who is served them."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads.settings import WorkloadsSettings
from support import recorder, work
from support.serving import ISVC

IMAGE = f"registry.test/ctr@sha256:{'1' * 64}"
RUN: dict[str, Any] = {"operator": "export", "model": "iris", "output": "pvc://shelf/models/"}
SERVED: dict[str, Any] = {"image": IMAGE, "model_files": "kept.files"}
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"


def settings(served: dict[str, Any] | None = None, claim: dict[str, Any] | None = None, **run: Any) -> dict[str, Any]:
    blocks = work.changed(work.IRIS, runs={"kept": {**RUN, **run}}, serving={"ctr": {**SERVED, **(served or {})}})
    return {**blocks, "claims": {"shelf": claim or {}}}


def declare(**changes: Any) -> recorder.Recorder:
    return work.declare(settings(**changes))


def test_a_claim_is_as_large_as_asked_for_and_held_against_removal() -> None:
    tree = declare(claim={"size": "5Gi", "storage_class": "fast", "access": "ReadWriteMany"})
    spec = tree.inputs(CLAIM, "shelf")["spec"]
    assert spec["resources"]["requests"] == {"storage": "5Gi"}
    assert (spec["storageClassName"], spec["accessModes"]) == ("fast", ["ReadWriteMany"])
    assert tree.find(CLAIM, "shelf").protect is True
    plain = declare(claim={"protect": False})
    assert "storageClassName" not in plain.inputs(CLAIM, "shelf")["spec"]
    assert plain.find(CLAIM, "shelf").protect in (False, None)


def test_the_run_has_the_volume_the_champions_version_and_no_key_of_any_store() -> None:
    tree = declare()
    told = work.told(tree, "kept")
    assert (told["model"], told["version"], told["output"]) == ("iris", "7", "pvc://shelf/models/")
    pod = work.pod(tree, "kept")
    (container,) = pod["containers"]
    assert {"name": "volume", "persistentVolumeClaim": {"claimName": "shelf"}} in pod["volumes"]
    assert {"name": "volume", "mountPath": told["folder"]} in container["volumeMounts"]
    assert not [each["name"] for each in container["env"] if each["name"].startswith("AWS_")]
    needs = tree.find(work.CONFIGMAP, "kept-run").dependencies
    assert any(urn.endswith("RunOutcome::iris-gate") for urn in needs)
    assert any(urn.endswith("PersistentVolumeClaim::shelf") for urn in needs)


@pytest.mark.parametrize(
    ("change", "again"),
    [({"version": 3}, True), ({"output": "pvc://shelf/"}, True), ({"retries": 5, "timeout": 60}, False)],
    ids=str,
)
def test_another_version_or_place_is_another_run(change: dict[str, Any], again: bool) -> None:
    assert (work.key(declare(**change), "kept") != work.key(declare(), "kept")) is again


def test_an_image_is_served_what_the_run_has_left_and_other_files_are_other_pods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def mark(tree: recorder.Recorder) -> str:
        return str(tree.inputs(ISVC, "ctr")["metadata"]["annotations"]["ml-platform/settings"])

    tree = declare()
    (container,) = tree.inputs(ISVC, "ctr")["spec"]["predictor"]["containers"]
    assert {"name": "STORAGE_URI", "value": "pvc://shelf/models/7"} in container["env"]
    assert any(urn.endswith("RunOutcome::kept") for urn in tree.find(ISVC, "ctr").dependencies)
    assert tree.exports["files"] == {"kept": "pvc://shelf/models/7"}
    outcome = recorder.OUTPUTS["pulumi-python:dynamic/workloads:RunOutcome"]
    monkeypatch.setitem(outcome, "outputs", {**outcome["outputs"], "files": "pvc://shelf/models/8"})
    assert mark(declare()) != mark(tree)


def test_its_pods_may_use_no_object_store() -> None:
    assert ("models", "run-kept") not in validate("workloads", settings(), WorkloadsSettings).accounts


@pytest.mark.parametrize(
    ("changes", "path", "given", "rule"),
    [
        ({"output": "s3://datasets/models/"}, "runs.kept.output", '"s3://', "pattern"),
        ({"output": "pvc://shelf/models"}, "runs.kept.output", '"pvc://shelf/models"', "pattern"),
        ({"output": "pvc://shelf/../"}, "runs.kept.output", '"pvc://shelf/../"', "pattern"),
        ({"model": "wine"}, "runs.kept.model", '"wine"', "allowed: iris"),
        ({"served": {"model_files": "other.files"}}, "serving.ctr.model_files", '"other.files"', "allowed: kept.files"),
        ({"served": {"model_files": "kept"}}, "serving.ctr.model_files", '"kept"', "pattern"),
        ({"served": {"secret": "key"}}, "serving.ctr.secret", '"key"', "the files are at neither"),
        ({"claim": {"access": "ReadOnly"}}, "claims.shelf.access", '"ReadOnly"', "'ReadWriteMany'"),
        ({"claim": {"size": "much"}}, "claims.shelf.size", '"much"', "pattern"),
    ],
)
def test_what_can_not_be_is_refused_by_its_key(changes: dict[str, Any], path: str, given: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", settings(**changes), WorkloadsSettings)
    assert f"ml-platform:workloads.{path} is {given}" in str(refused.value)
    assert rule in str(refused.value)
