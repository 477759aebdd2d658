"""What answers need not be a model of the registry: an image of one's own that starts slowly, and its mistakes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_bench.load import Load
from support import gateway, machine

PROGRAM = (Path(__file__).parents[1] / "support" / "predictor.py").read_text()
URL = "http://sum.models.localhost:8080/v2/models/sum/infer"
ROW = gateway.rows({"a": 1.0, "b": 2.0})
PATH = "ml-platform:workloads.serving.sum"


def own_image(**settings: Any) -> dict[str, Any]:
    """A block whose server is a program on the image of the platform's model server."""
    small = {"cpu": "20m", "memory": "64Mi", "memory_limit": "256Mi"}
    return {"image": machine.images()["mlserver"], "command": ["python", "-c", PROGRAM], "resources": small, **settings}


def up(folder: Path, **serving: Any) -> machine.Done:
    return machine.up(machine.settings("workloads", {"serving": serving}, folder))


@pytest.fixture(scope="module")
def served(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The outputs of the stack with an image that takes a while to start; afterwards it is as it was."""
    slow = own_image(env={"START_SECONDS": "10"}, liveness={"period": 1, "failures": 2})
    done = up(tmp_path_factory.mktemp("own"), sum=slow)
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    done = machine.up()
    assert done.returncode == 0, done.stdout


def test_an_image_of_ones_own_answers_after_a_slow_start(served: dict[str, Any]) -> None:
    assert served["prediction_urls"]["sum"] == URL
    answer = gateway.ask(URL, body=ROW)
    assert answer.status == 200, answer.text
    assert json.loads(answer.text)["outputs"][0]["data"] == [3.0]


@pytest.mark.parametrize(
    ("settings", "says", "key"),
    [
        ({"env": {"LISTENS_AT": "9000"}}, "Nothing listens at port 8080 of pod", "port' <port>"),
        ({"env": {"PROTOCOL": "v1"}}, "it speaks protocol v1", "protocol' v1"),
        ({"env": {"START_SECONDS": "600"}}, "answers 503 at /v2/models/sum/ready", "timeout' <seconds>"),
    ],
    ids=["listens elsewhere", "speaks the other protocol", "is not ready in time"],
)
def test_one_that_is_not_ready_is_told_what_to_change_and_gets_no_request(
    settings: dict[str, Any], says: str, key: str, served: dict[str, Any], tmp_path: Path
) -> None:
    with Load(URL, ROW, 20.0) as load:
        done = up(tmp_path, sum=own_image(**settings, timeout=30))
        load.next(20)
    assert done.returncode != 0
    assert says in done.stdout
    assert f"pulumi config set --path '{PATH}.{key}" in done.stdout
    assert load.problems == []
