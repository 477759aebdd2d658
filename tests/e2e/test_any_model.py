"""What answers need not be a model of the registry: an image of one's own that starts slowly, a file of scikit-learn in
the object store, and what goes wrong with either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import pandas
import pytest
from ml_bench.load import Load
from sklearn.linear_model import LinearRegression
from support import gateway, machine, store

PROGRAM = (Path(__file__).parents[1] / "support" / "predictor.py").read_text()
URL = "http://sum.models.localhost:8080/v2/models/sum/infer"
ROW = gateway.rows({"a": 1.0, "b": 2.0})
PATH = "ml-platform:workloads.serving.sum"


FILES = {"uri": "s3://datasets/models/mpg/1", "format": "sklearn"}
CARS = pandas.DataFrame({"weight": [2000.0, 3000.0, 4000.0, 2500.0], "year": [70.0, 75.0, 80.0, 82.0]})


def put_model(folder: Path) -> None:
    """A line that says 40 miles per gallon, less one for each 200 pounds, in the object store."""
    model = LinearRegression().fit(CARS, 40 - CARS.weight / 200)
    joblib.dump(model, folder / "model.joblib")
    store.client().upload_file(str(folder / "model.joblib"), "datasets", "models/mpg/1/model.joblib")


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
    put_model(tmp_path_factory.mktemp("model"))
    done = up(tmp_path_factory.mktemp("own"), sum=slow, mpg=FILES)
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
        done = up(tmp_path, mpg=FILES, sum=own_image(**settings, timeout=30))
        load.next(20)
    assert done.returncode != 0
    assert says in done.stdout, done.stdout
    assert f"pulumi config set --path '{PATH}.{key}" in done.stdout
    assert load.problems == []


def test_a_file_of_scikit_learn_answers_both_protocols_by_the_columns_that_it_was_fitted_with(
    served: dict[str, Any],
) -> None:
    url = served["prediction_urls"]["mpg"]
    v2 = gateway.ask(url, body=gateway.rows({"weight": 3000.0, "year": 99.0}))
    assert v2.status == 200, v2.text
    assert json.loads(v2.text)["outputs"][0]["data"] == pytest.approx([25.0])
    v1 = gateway.ask(
        url.replace("/v2/models/mpg/infer", "/v1/models/mpg:predict"), body={"instances": [[3000.0, 99.0]]}
    )
    assert json.loads(v1.text)["predictions"] == pytest.approx([25.0]), v1.text
    wrong = gateway.ask(url, body=gateway.rows({"wieght": 3000.0, "year": 99.0}))
    assert (wrong.status, "did you mean 'weight'" in json.loads(wrong.text)["error"]) == (400, True)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({**FILES, "uri": "s3://datasets/models/mpg/2"}, "s3://datasets/models/mpg/2: there is no such object"),
        ({**FILES, "format": "xgboost"}, "of format xgboost there is to be one file that ends with .json or .ubj"),
    ],
    ids=["nothing is there", "another format"],
)
def test_files_that_are_no_model_are_named_and_what_answered_before_goes_on(
    files: dict[str, Any], says: str, served: dict[str, Any], tmp_path: Path
) -> None:
    done = up(tmp_path, sum=own_image(), mpg=files)
    assert done.returncode != 0
    assert says in done.stdout, done.stdout
    assert "pulumi config set --path 'ml-platform:workloads.serving.mpg.uri' <uri>" in done.stdout
    assert gateway.ask(served["prediction_urls"]["mpg"], body=gateway.rows({"weight": 2.0, "year": 1.0})).status == 200
