"""What answers need not be a model of the registry: an image of one's own that starts slowly, another one that has the
champion's files on a volume and becomes several, a file of scikit-learn in the object store behind a script that knows
other units, and all that can be wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import joblib  # type: ignore[import-untyped]
import pandas
import pytest
import urllib3
from ml_load.load import Load
from ml_local.node.layout import LOOPBACK
from sklearn.linear_model import LinearRegression
from support import gateway, machine, store
from support.until import until

PROGRAM = (Path(__file__).parents[1] / "support" / "predictor.py").read_text()
URL = "http://sum.models.localhost:8080/v2/models/sum/infer"
ROW = gateway.rows({"a": 1.0, "b": 2.0})
PAGE = "https://app.example.com"
SERVICE = "serving.kserve.io/inferenceservice"
FILES = {"uri": "s3://datasets/models/mpg/1", "format": "sklearn"}
KEPT = {"operator": "export", "model": "iris", "output": "pvc://shelf/models/"}
SERVED: dict[str, dict[str, Any]] = {}
"""The blocks that are served throughout; the image of one's own is known when the node is there."""
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
    blocks = {"serving": serving, "runs": {"kept": KEPT}, "claims": {"shelf": {"protect": False}}}
    more = {**blocks, "quota": {"cpu": "32", "memory": "32Gi"}}
    return machine.up(machine.settings("workloads", more, folder))


@pytest.fixture(scope="module")
def served(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The outputs of the stack with an image that takes a while to start; afterwards it is as it was."""
    SERVED.update(
        sum=own_image(env={"START_SECONDS": "10"}, liveness={"period": 1, "failures": 2}),
        shelf=own_image(
            model_files="kept.files",
            model_name="sum",
            env={"ANSWER_SECONDS": "0.1"},
            scale_target=1,
            max_replicas=3,
        ),
        mpg={**FILES, "origins": [PAGE]},
        cars={**FILES, "transformer": {"script": "workloads/examples/mpg/units.py"}, "origins": [PAGE]},
    )
    put_model(tmp_path_factory.mktemp("model"))
    done = up(tmp_path_factory.mktemp("own"), **SERVED)
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    done = machine.up()
    assert done.returncode == 0, done.stdout


def test_an_image_of_ones_own_answers_after_a_slow_start(served: dict[str, Any]) -> None:
    assert served["prediction_urls"]["sum"] == URL
    answer = gateway.ask(URL, body=ROW)
    assert answer.status == 200, answer.text
    assert json.loads(answer.text)["outputs"][0]["data"] == [3.0]


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


def test_a_script_before_and_after_the_model_knows_other_units(served: dict[str, Any]) -> None:
    url = served["v1_urls"]["cars"]
    answer = gateway.ask(url, body={"instances": [{"weight_kg": 1360.5442, "year": 1999}]})
    assert json.loads(answer.text)["predictions"] == pytest.approx([235.2146 / 25], rel=1e-3), answer.text
    v2 = gateway.ask(served["prediction_urls"]["cars"], body=gateway.rows({"weight_kg": 1360.5442, "year": 1999.0}))
    assert json.loads(v2.text)["outputs"][0]["data"] == pytest.approx([235.2146 / 25], rel=1e-3), v2.text
    wrong = gateway.ask(url, body={"instances": [{"weight": 1}]})
    assert (wrong.status, "KeyError: 'weight_kg'" in json.loads(wrong.text)["error"]) == (400, True)


@pytest.mark.parametrize("block", ["mpg", "cars"])
@pytest.mark.parametrize(("page", "answer"), [(PAGE, PAGE), ("https://elsewhere.test", None)])
def test_a_browser_is_told_which_pages_may_ask(
    block: str, page: str, answer: str | None, served: dict[str, Any]
) -> None:
    asked = {"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    place = urlsplit(served["v1_urls"][block])
    url = f"http://{LOOPBACK}:{place.port}{place.path}"
    found = urllib3.request("OPTIONS", url, headers={"Host": place.netloc, **asked}, timeout=30)
    assert (found.status == 200, found.headers.get("access-control-allow-origin")) == (answer is not None, answer)


def test_a_pod_of_the_cluster_asks_by_a_name_of_the_cluster(served: dict[str, Any]) -> None:
    program = (
        "import json, sys, urllib.request as web\n"
        "asked = web.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})\n"
        "print(web.urlopen(asked, timeout=30).read().decode())"
    )
    pods = machine.client().list("v1", "Pod", "models", labels=f"{SERVICE}=sum")
    words = ("kubectl", "-n", "models", "exec", pods[0]["metadata"]["name"], "-c", "kserve-container", "--")
    done = machine.tool(*words, "python", "-c", program, served["cluster_urls"]["sum"], json.dumps(ROW))
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["outputs"][0]["data"] == [3.0]


def test_an_image_has_the_champions_files_from_a_volume(served: dict[str, Any]) -> None:
    place = f"pvc://shelf/models/{served['model_versions']['iris']}"
    assert served["files"] == {"kept": place}
    (pod,) = machine.client().list("v1", "Pod", "models", labels=f"{SERVICE}=shelf")
    words = ("kubectl", "-n", "models", "exec", pod["metadata"]["name"], "-c", "kserve-container", "--")
    assert "MLmodel" in machine.tool(*words, "ls", "/mnt/models").stdout.split()
    assert machine.tool(*words, "touch", "/mnt/models/more").returncode != 0


def test_one_replica_becomes_three_where_more_is_asked_at_once_and_one_again(served: dict[str, Any]) -> None:
    with Load(served["prediction_urls"]["shelf"], ROW, clients=6) as load:
        until(lambda: len(ready("shelf")) == 3, "there are not 3 replicas", 120)
    assert load.problems == []
    until(lambda: len(ready("shelf")) == 1, "there is more than one replica without a request", 120)


def ready(service: str) -> list[Any]:
    """The pods of a service that take requests."""
    pods = machine.client().list("v1", "Pod", "models", labels=f"{SERVICE}={service}")
    stay = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    conditions = [(pod, each) for pod in stay for each in pod.get("status", {}).get("conditions", [])]
    return [pod for pod, each in conditions if each["type"] == "Ready" and each["status"] == "True"]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "elsewhere": ({"env": {"LISTENS_AT": "9000"}}, "Nothing listens at port 8080 of pod", "port' <port>"),
    "other": ({"env": {"PROTOCOL": "v1"}}, "it speaks protocol v1", "protocol' v1"),
    "slow": ({"env": {"START_SECONDS": "600"}}, "answers 503 at /v2/models/sum/ready", "timeout' <seconds>"),
    "nothing": ({**FILES, "uri": "s3://datasets/models/mpg/2"}, "mpg/2: there is no such object", "uri' <uri>"),
    "format": ({**FILES, "format": "xgboost"}, "of format xgboost there is to be one file", "uri' <uri>"),
}
AT_ONCE = {
    "claim": ({"model_files": "pvc://attic/1"}, "no PersistentVolumeClaim 'attic'", "model_files' <model_files>")
}
"""An update begins nothing more once one has failed, so that what fails at once has one of its own."""


def test_each_mistake_is_named_with_what_to_change_and_what_answered_before_goes_on(
    served: dict[str, Any], tmp_path: Path
) -> None:
    with Load(URL, ROW, 20.0) as load:
        for wrong in (AT_ONCE, WRONG):
            blocks = {
                name: {**(settings if "uri" in settings else own_image(**settings, model_name="sum")), "timeout": 30}
                for name, (settings, _, _) in wrong.items()
            }
            done = up(tmp_path, **SERVED, **blocks)
            assert done.returncode != 0
            for name, (_, says, key) in wrong.items():
                assert says in done.stdout, done.stdout
                assert f"'ml-platform:workloads.serving.{name}.{key}" in done.stdout, done.stdout
        load.next(20)
    assert load.problems == []
