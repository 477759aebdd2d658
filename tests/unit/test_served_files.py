"""Files of a model that are served, as they are declared, and whether a platform can serve them."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.components import kserve
from ml_platform.configuration import SettingsError, validate
from ml_platform.handle import ServingMode
from ml_workloads import capabilities
from ml_workloads.formats import FORMATS
from ml_workloads.settings import WorkloadsSettings
from support import chosen, recorder, work
from support.serving import ISVC

URI = "s3://datasets/models/mpg/3"
IMAGE = f"registry.test/ctr@sha256:{'1' * 64}"
LEAN = {"bundles": {"versions": {"kserve": "0.20.0-lean"}}, "object_store": {"buckets": ["datasets"]}}
BLOCK = "ml-platform:workloads.serving.mpg"


def block(**serving: Any) -> dict[str, Any]:
    return {"serving": {"mpg": {"uri": URI, "format": "sklearn", **serving}}}


def declare(mode: ServingMode = "knative", **serving: Any) -> recorder.Recorder:
    return work.declare(block(**serving), mode=mode)


def predictor(tree: recorder.Recorder, name: str = "mpg") -> dict[str, Any]:
    return dict(tree.inputs(ISVC, name)["spec"]["predictor"])


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if each.own])
def test_what_the_platforms_own_server_serves_it_is_told_the_format_of(name: str) -> None:
    tree = declare(format=name)
    model = predictor(tree)["model"]
    assert (model["runtime"], model["modelFormat"], model["storageUri"]) == ("mlserver", {"name": name}, URI)
    assert model["env"] == [{"name": "ML_FORMAT", "value": name}]
    assert tree.exports["prediction_urls"] == {"mpg": "http://mpg.models.test/v2/models/mpg/infer"}


def test_the_runtime_of_the_platform_serves_these_formats() -> None:
    own = {name for name, each in FORMATS.items() if each.own}
    assert own == {"mlflow", *kserve.FILE_FORMATS}


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.own])
def test_all_others_are_served_by_the_runtime_that_kserve_finds(name: str) -> None:
    tree = declare(format=name, model_name="cars")
    model = predictor(tree)["model"]
    assert "runtime" not in model
    assert (model["modelFormat"], model["protocolVersion"]) == ({"name": name}, FORMATS[name].protocol)  # type: ignore[index]
    assert model.get("args", ["--model_name=cars"]) == ["--model_name=cars"]
    assert "/models/cars" in tree.inputs("Rollout", "mpg")["ready"]
    assert ("mpg" in tree.exports["v1_urls"]) is (FORMATS[name].protocol == "v1")  # type: ignore[index]


@pytest.mark.parametrize("mode", ["knative", "standard"])
def test_a_canary_has_other_files_and_answers_to_the_same_name(mode: ServingMode) -> None:
    tree = declare(mode, format="pmml", canary={"uri": f"{URI}1", "percent": 5})
    models = {name: predictor(tree, name)["model"] for name in ("mpg", "mpg-canary")}
    assert [each["storageUri"] for each in models.values()] == [URI, f"{URI}1"]
    assert {each["args"][0] for each in models.values()} == {"--model_name=mpg"}
    assert tree.inputs("Rollout", "mpg-canary")["setting"] == f"{BLOCK}.canary.uri"


@pytest.mark.parametrize("serving", [block(), {"serving": {"mpg": {"image": IMAGE, "model_files": URI}}}])
def test_files_in_the_object_store_are_fetched_with_a_key_that_only_this_account_lists(serving: dict[str, Any]) -> None:
    tree = work.declare(serving)
    secret = tree.inputs("kubernetes:core/v1:Secret", "mpg-storage-secret")
    assert dict(secret["stringData"]) == dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "[secret]")
    marks = secret["metadata"]["annotations"]
    assert marks["serving.kserve.io/s3-endpoint"] == "s3.test:7070"
    assert (marks["serving.kserve.io/s3-usehttps"], marks["serving.kserve.io/s3-region"]) == ("0", "r")
    account = tree.inputs("kubernetes:core/v1:ServiceAccount", "mpg-storage-serviceaccount")
    assert account["secrets"] == [{"name": "mpg-storage"}]
    assert account["automountServiceAccountToken"] is False
    (rule,) = tree.inputs("Role", "mpg-storage-role")["rules"]
    assert (rule["resourceNames"], rule["verbs"]) == (["mpg-storage"], ["get"])
    assert predictor(tree)["serviceAccountName"] == "mpg-storage"


def test_a_cloud_that_knows_pods_by_their_account_is_told_of_it() -> None:
    assert validate("workloads", block(), WorkloadsSettings).accounts == (("models", "mpg-storage"),)
    assert validate("workloads", block(uri="pvc://models/mpg/3"), WorkloadsSettings).accounts == ()


def test_files_on_a_volume_need_no_key() -> None:
    tree = declare(uri="pvc://models/mpg/3")
    assert predictor(tree)["serviceAccountName"] == "model"
    assert not [each for each in tree.requests.values() if each.name.startswith("mpg-storage")]


@pytest.mark.parametrize(
    ("scheme", "key"), [("gs", "gcloud-application-credentials.json"), ("hf", "HF_TOKEN")], ids=["gs", "hf"]
)
def test_a_secret_of_the_stack_opens_the_storage_of_others(
    scheme: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"their_key": "the value of their_key"}
    monkeypatch.setattr("ml_workloads.storage.require_secret", lambda _, name, __: values[name])
    tree = declare(uri=f"{scheme}://theirs/mpg/3", format="huggingface", secret="their_key")
    secret = tree.inputs("kubernetes:core/v1:Secret", "mpg-storage-secret")
    assert secret["stringData"] == {key: recorder.HIDDEN}
    assert predictor(declare(uri=f"{scheme}://theirs/mpg/3"))["serviceAccountName"] == "model"


def test_the_files_of_an_image_are_there_before_it_starts() -> None:
    tree = work.declare({"serving": {"mpg": {"image": IMAGE, "model_files": "pvc://models/ctr"}}})
    (container,) = predictor(tree)["containers"]
    assert {"name": "STORAGE_URI", "value": "pvc://models/ctr"} in container["env"]


def refusal(work: dict[str, Any], **platform: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        capabilities.check(validate("workloads", work, WorkloadsSettings), chosen.platform(**platform))
    return str(refused.value)


@pytest.mark.parametrize(
    ("serving", "key", "given", "rule"),
    [
        ({"model": "mpg"}, "uri", f'"{URI}"', "the block has 'model' as well"),
        ({"image": IMAGE}, "image", f'"{IMAGE}"', "the block has 'uri' as well"),
        ({"uri": "ftp://a/b"}, "uri", '"ftp://a/b"', "pattern"),
        ({"uri": "s3://"}, "uri", '"s3://"', "pattern"),
        ({"format": "keras"}, "format", '"keras"', "'tensorflow'"),
        ({"format": None}, "format", "null", "'tensorflow'"),
        ({"version": 1}, "version is no setting", "", "allowed here: canary, container_concurrency, format"),
        ({"canary": {"uri": URI}}, "canary.uri", f'"{URI}"', "another uri than `uri`"),
        ({"canary": {"uri": "gs://a/b"}}, "canary.uri", '"gs://a/b"', "it must begin with s3:// too"),
        ({"secret": "key"}, "secret", '"key"', "it opens gs:// and hf://"),
        ({"uri": "s3://mine/mpg"}, "uri", "", "is in bucket 'mine'; allowed: datasets"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_is_refused_by_its_key(serving: dict[str, Any], key: str, given: str, rule: str) -> None:
    message = refusal(block(**serving), object_store={"buckets": ["datasets"]})
    assert f"{BLOCK}.{key}{f' is {given}' if given else ''}" in message
    assert rule in message


def test_a_missing_format_is_named() -> None:
    assert f"{BLOCK}.format is missing: field required" in refusal({"serving": {"mpg": {"uri": URI}}})


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.own])
def test_a_format_without_a_runtime_is_refused_with_the_release_that_has_one(name: str) -> None:
    message = refusal(block(format=name), **LEAN)
    assert f"{BLOCK}.format is '{name}', and kserve 0.20.0-lean has no runtime for it; allowed: mlflow, " in message
    assert "pulumi config set --path 'ml-platform:platform.bundles.versions.kserve' 0.20.0\nor name an" in message
    whole = validate("workloads", block(format=name), WorkloadsSettings)
    capabilities.check(whole, chosen.platform(object_store={"buckets": ["datasets"]}))


@pytest.mark.parametrize("uri", ["gs://theirs/mpg", "https://files.test/mpg.joblib", "hf://theirs/mpg"])
def test_what_a_lean_release_does_not_fetch_is_refused_with_where_to_put_it(uri: str) -> None:
    message = refusal(block(uri=uri), **LEAN)
    assert f"{BLOCK}.uri is '{uri}', and kserve 0.20.0-lean fetches files from s3:// and pvc://." in message
    assert f"--path '{BLOCK}.uri' s3://<bucket>/<key>" in message
