"""A second version of a model: tried on a part of the requests, promoted, rolled back, set up from nothing. One URL
throughout, and nobody who asks notices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_load.load import Load
from ml_platform.kube import Client
from support import gateway, machine, notebook, versions
from support.flowers import FLOWERS

pytestmark = pytest.mark.usefixtures("platform")

URL = "http://iris.models.localhost:8080/v2/models/iris/infer"
ALONE = "http://canary-iris.models.localhost:8080/v2/models/iris/infer"
ROWS = gateway.rows(FLOWERS["Iris-setosa"])
RATE = 100.0


@pytest.fixture(scope="module")
def tried(platform: dict[str, Any]) -> Iterator[int]:
    """Another version than the champion; afterwards the settings of the checkout are applied again."""
    yield versions.another()
    done = machine.up()
    assert done.returncode == 0, done.stdout


def serve(folder: Path, **iris: Any) -> None:
    done = machine.up(machine.settings("workloads", {"serving": {"iris": iris}}, folder))
    assert done.returncode == 0, done.stdout
    assert machine.outputs()["prediction_urls"] == {"iris": URL}


def in_use() -> str:
    return str(versions.champion().version)


def services() -> set[str]:
    found = machine.client().list("serving.kserve.io/v1beta1", "InferenceService", "models")
    return {each["metadata"]["name"] for each in found}


def answers_by_a_model(url: str) -> bool:
    """A host of nobody's is answered by the gateway itself."""
    return "model_version" in gateway.ask(url, body=ROWS).text


def test_a_canary_gets_its_share_and_no_request_fails_on_the_way(tried: int, tmp_path: Path) -> None:
    with Load(URL, ROWS, RATE) as load:
        load.next(20)
        serve(tmp_path, canary={"version": tried, "percent": 10})
        shares = load.next(400)
    assert load.problems == []
    assert set(load.versions) == {in_use(), str(tried)}
    assert shares[str(tried)] / 400 == pytest.approx(0.10, abs=0.02)


def test_another_percentage_is_another_share_and_starts_no_pod(tried: int, tmp_path: Path) -> None:
    before = pods(machine.client())
    serve(tmp_path, canary={"version": tried, "percent": 50})
    with Load(URL, ROWS, RATE) as load:
        shares = load.next(200)
    assert load.problems == []
    assert shares[str(tried)] == pytest.approx(100, abs=4)
    assert pods(machine.client()) == before


def test_the_canary_alone_answers_at_a_host_of_its_own(tried: int) -> None:
    assert machine.outputs()["canary_urls"] == {"iris": ALONE}
    with Load(ALONE, ROWS, RATE) as load:
        assert load.next(20) == {str(tried): 20}
    assert load.problems == []
    assert f"iris {tried}: " in machine.make("predict", "CANARY=1").stdout


def test_the_notebook_shows_the_share_of_a_canary(tried: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    counted = notebook.run(monkeypatch, tmp_path)["count"]
    share = re.search(rf"^\| {tried} \| ([0-9.]+) \|$", counted, re.MULTILINE)
    assert share, counted
    assert float(share[1]) == pytest.approx(50, abs=2)


@pytest.mark.parametrize("name", ["iris", "iris-canary"])
def test_an_inference_service_is_not_reached_from_outside_but_by_the_route(name: str, tried: int) -> None:
    assert answers_by_a_model(URL)
    assert not answers_by_a_model(f"http://{name}-predictor.models.localhost:8080/v2/models/iris/infer")


def test_what_controllers_make_of_a_canary_is_no_difference(tried: int, tmp_path: Path) -> None:
    canary = {"version": tried, "percent": 50}
    config = machine.settings("workloads", {"serving": {"iris": {"canary": canary}}}, tmp_path)
    words = ("pulumi", "preview", "--refresh", "--expect-no-changes", "--stack", "local", "--non-interactive")
    done = machine.tool(*words, "--config-file", str(config))
    assert done.returncode == 0, done.stdout


def test_rolled_back_the_version_in_use_answers_all_and_no_request_fails(tried: int, tmp_path: Path) -> None:
    with Load(URL, ROWS, RATE) as load:
        load.next(20)
        serve(tmp_path, canary=None)
        assert load.next(200) == {in_use(): 200}
    assert load.problems == []
    assert services() == {"iris"}
    assert not answers_by_a_model(ALONE)


@pytest.mark.long
def test_on_an_empty_place_the_same_settings_give_the_same_split(tried: int, tmp_path: Path) -> None:
    config = machine.settings("workloads", {}, tmp_path)
    content = yaml.safe_load(config.read_text())
    del content["config"]["ml-platform:workloads"]["serving"]
    config.write_text(yaml.safe_dump(content))
    done = machine.up(config)
    assert done.returncode == 0, done.stdout
    assert services() == set()
    serve(tmp_path, canary={"version": tried, "percent": 10})
    with Load(URL, ROWS, RATE) as load:
        shares = load.next(200)
    assert load.problems == []
    assert set(shares) == {in_use(), str(tried)}
    assert shares[str(tried)] == pytest.approx(20, abs=4)


def test_promoted_it_answers_all_and_no_request_fails(tried: int, tmp_path: Path) -> None:
    with Load(URL, ROWS, RATE) as load:
        load.next(20)
        serve(tmp_path, version=tried, canary=None)
        assert load.next(200) == {str(tried): 200}
    assert load.problems == []
    assert services() == {"iris"}


def pods(client: Client) -> set[str]:
    return {
        pod["metadata"]["name"]
        for pod in client.list("v1", "Pod", "models", labels="serving.kserve.io/inferenceservice")
        if "deletionTimestamp" not in pod["metadata"]
    }
