"""From a bare machine to a served prediction, and what a user finds there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from ml_local.node.layout import layout
from ml_runtime import download, tracking
from support import machine, versions
from support.flowers import FLOWERS

pytestmark = pytest.mark.usefixtures("platform")

SERVER_AND_MIGRATION = """
from ml_runtime.errors import AwayError
from ml_runtime.migrate import migrate, wait_for_schema

uri = "sqlite:////tmp/waited-for.db"
try:
    wait_for_schema(uri, 0)
except AwayError as told:
    print(told)
migrate(uri, 0)
wait_for_schema(uri, 0)
print("waits no more")
"""


@pytest.mark.parametrize("species", FLOWERS)
def test_the_served_model_names_the_species_of_a_flower(species: str, tmp_path: Path) -> None:
    request = tmp_path / "flower.json"
    request.write_text(json.dumps(FLOWERS[species]))
    done = machine.make("predict", f"FILE={request}")
    assert done.returncode == 0, done.stdout
    assert species.lower().removeprefix("iris-") in done.stdout.lower()


def test_a_second_up_changes_nothing_and_leaves_the_checkout_clean() -> None:
    before = _git_status()
    done = machine.make("up")
    assert done.returncode == 0, done.stdout
    assert "unchanged" in done.stdout
    assert "created" not in done.stdout
    assert "updated" not in done.stdout
    assert _git_status() == before
    assert "Pulumi.local.yaml" not in before


def test_the_server_of_mlflow_waits_for_the_schema_of_its_version() -> None:
    image = ["exec", "--namespace", "mlflow", "deployment/mlflow", "--"]
    done = machine.tool("kubectl", *image, "python", "-c", SERVER_AND_MIGRATION)
    assert done.returncode == 0, done.stdout
    assert "it is at no version" in done.stdout
    assert "waits no more" in done.stdout
    machine.tool("kubectl", *image, "rm", "/tmp/waited-for.db")


def test_curl_reaches_the_model_by_its_own_name(platform: dict[str, Any]) -> None:
    curl = shutil.which("curl")
    url = platform["prediction_urls"]["iris"].replace("/infer", "")
    if curl is None:
        host = url.split("/")[2]
        request = urllib.request.Request(url.replace(host, "127.0.0.1:8080"), headers={"Host": host})
        text = urllib.request.urlopen(request, timeout=30).read().decode()
    else:
        text = subprocess.run([curl, "-sS", url], capture_output=True, text=True, check=True, timeout=30).stdout
    assert json.loads(text)["inputs"], text


def test_what_is_served_is_the_champion_with_the_files_that_its_gate_has_judged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", _environment()["MLFLOW_TRACKING_URI"])
    champion = versions.champion()
    service = machine.client().get("serving.kserve.io/v1beta1", "InferenceService", "iris", "models")
    assert service["spec"]["predictor"]["model"]["storageUri"] == f"mlflow://iris/{champion.version}"
    files = download.fetch(download.location("iris", str(champion.version), 30), tmp_path, 30)
    assert champion.tags[tracking.FILES_DIGEST] == download.digest(files)
    run = versions.tracking().get_run(str(champion.run_id))
    assert run.data.metrics["test_accuracy"] >= 0.9


def test_the_model_and_the_rows_that_test_it_lie_in_the_object_store(
    monkeypatch: pytest.MonkeyPatch, platform: dict[str, Any]
) -> None:
    for name, value in _environment().items():
        if name.startswith("AWS"):
            monkeypatch.setenv(name, value)
    store = boto3.client("s3", endpoint_url=platform["object_store_endpoint"])
    keys = [
        entry["Key"]
        for bucket in store.list_buckets()["Buckets"]
        for entry in store.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])
    ]
    assert any(key.endswith("MLmodel") for key in keys), keys
    digest = versions.tracking().get_run(str(versions.champion().run_id)).data.tags[tracking.TEST_DIGEST]
    assert any(key.endswith(tracking.rows_path(digest)) for key in keys), keys


@pytest.mark.parametrize(
    ("words", "shows"),
    [
        (("kubectl", "get", "pods", "-A"), r"^models +iris-predictor-\S+ +2/2 +Running "),
        (("pulumi", "stack", "output", "--stack", "local"), r'^ +prediction_urls +\{"iris":"http://iris\.models\.'),
        (("pulumi", "preview", "--stack", "local", "--non-interactive", "--expect-no-changes"), r"^ +\d+ unchanged$"),
        (("mlflow", "experiments", "search"), r"^\d+ +iris +mlflow-artifacts:/"),
    ],
    ids=lambda words: " ".join(words[:3]) if isinstance(words, tuple) else "",
)
def test_the_tools_work_as_their_documentation_says(words: tuple[str, ...], shows: str) -> None:
    done = machine.tool(*words)
    assert done.returncode == 0, done.stdout
    assert re.search(shows, done.stdout, re.MULTILINE), done.stdout


def test_status_shows_a_platform_that_is_well(platform: dict[str, Any]) -> None:
    done = machine.make("status")
    assert done.returncode == 0, done.stdout
    alive = re.search(r"^node: (\d+) of (\d+) daemons alive$", done.stdout, re.MULTILINE)
    assert alive
    assert alive[1] == alive[2]
    resident = re.search(r"^memory: (\d+) MiB resident", done.stdout, re.MULTILINE)
    assert resident
    assert 500 < int(resident[1]) < 3000
    assert platform["prediction_urls"]["iris"] in done.stdout


def _environment() -> dict[str, str]:
    from ml_local import environment

    return environment.variables(layout())


def _git_status() -> str:
    from ml_local import paths

    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=paths.checkout(), capture_output=True, text=True, check=True
    ).stdout
