"""Clicks: a network by two workers, judged, and served twice: by the platform's model server from the registry, and by
a predictor of one's own, written with KServe's SDK, from a volume, as many times as there are requests at once. Workers
with an image of one's own find each other too."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
import yaml
from ml_load.load import Load
from ml_local import environment, paths
from ml_local.node.layout import layout
from sklearn.metrics import roc_auc_score
from support import gateway, machine, own_image, versions
from support.until import until

pytestmark = pytest.mark.long  # Debian's PyTorch is a gigabyte: two layers and an image of it take minutes to build

EXAMPLES = paths.checkout() / "workloads" / "examples"
CLICKS = EXAMPLES / "clicks"
ROWS = 1_000_000
REPLICAS = 10
ASKED = 2000
"""Rows of the later ones that are asked about."""
TRAINER = "trainer.kubeflow.org/v1alpha1"
PROGRAM = """
import json, os
import mlflow.sklearn, pandas, torch
from sklearn.linear_model import LogisticRegression
from torch import distributed

distributed.init_process_group("gloo")
run, rows = json.load(open(os.environ["ML_RUN"])), pandas.read_parquet(os.environ["ML_TRAINING_ROWS"])
total = torch.tensor([len(rows)])
distributed.all_reduce(total)
assert total.item() == 2 * len(rows)
if distributed.get_rank() == 0:
    model = LogisticRegression(max_iter=500).fit(rows[run["features"]], rows[run["target"]])
    mlflow.sklearn.save_model(model, os.environ["ML_MODEL"], serialization_format="skops")
"""
"""What an image of one's own may run in each worker."""
Part = tuple[pandas.DataFrame, Any]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stack's file with the example."""
    return tmp_path_factory.mktemp("clicks")


@pytest.fixture(scope="module")
def outputs(
    platform: dict[str, Any], settings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Those of the stack with the example; afterwards it is as it was."""
    env = {**os.environ, **environment.variables(layout())}
    made = machine.run([sys.executable, "-m", "clicks.data", f"--rows={ROWS}"], 300, env, EXAMPLES)
    assert made.returncode == 0, made.stdout
    image = own_image.pushed("clicks", CLICKS / "predictor", tmp_path_factory.mktemp("predictor"))
    blocks = yaml.safe_load((CLICKS / "workloads.yaml").read_text())
    blocks["serving"]["ctr"]["image"] = image
    blocks["claims"]["clicks"]["protect"] = False
    blocks["quota"] = {"cpu": "64", "memory": "64Gi"}
    config = machine.settings("workloads", blocks, settings)
    config = machine.settings("platform", {"training": {"v2": True}}, settings, base=config)
    done = machine.make("up", f"CONFIG={config}", timeout=3600)
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    done = machine.make("up")
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def later() -> Part:
    """Rows that nobody has learned from, and how likely each is clicked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        frame, likely = next(iter(importlib.import_module("clicks.data").parts(ROWS, later=True)))
    return frame.head(ASKED), likely[:ASKED]


def by_v1(rows: pandas.DataFrame) -> dict[str, Any]:
    """As the callers of the predictor write it: one table, a list for each column."""
    return {"inputs": [{name: texts(values) for name, values in rows.drop(columns="clk").items()}]}


def by_v2(rows: pandas.DataFrame) -> dict[str, Any]:
    """One tensor of texts for each column."""
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "BYTES", "data": texts(values)}
        for name, values in rows.drop(columns="clk").items()
    ]
    return {"parameters": {"content_type": "pd"}, "inputs": tensors}


def texts(values: pandas.Series) -> list[str]:
    return ["" if pandas.isna(each) else str(each) for each in values]


def answers(url: str, body: dict[str, Any]) -> Any:
    found = gateway.ask(url, body=body)
    assert found.status == 200, found.text
    return json.loads(found.text)


def test_two_workers_leave_a_model_that_is_nearly_as_good_as_one_can_be(outputs: dict[str, Any], later: Part) -> None:
    (job,) = machine.client().list(TRAINER, "TrainJob", "models")
    labels = f"jobset.sigs.k8s.io/jobset-name={job['metadata']['name']}"
    assert len(machine.client().list("v1", "Pod", "models", labels=labels)) == 2
    champion = versions.champion("clicks")
    assert champion.version == outputs["model_versions"]["clicks"]
    reached = versions.tracking().get_run(str(champion.run_id)).data.metrics["test_roc_auc"]
    assert reached > 0.95 * roc_auc_score(later[0].clk, later[1])


def test_the_champions_files_are_on_the_volume_and_the_predictor_has_them(outputs: dict[str, Any]) -> None:
    version = outputs["model_versions"]["clicks"]
    assert outputs["files"] == {"clicks-files": f"pvc://clicks/{version}"}


def test_the_predictor_answers_by_the_protocol_that_it_is_asked_by(outputs: dict[str, Any], later: Part) -> None:
    rows, url = later[0], outputs["prediction_urls"]["ctr"]
    v1 = answers(url.replace("/v2/models/dcnv2/infer", "/v1/models/dcnv2:predict"), by_v1(rows))["predictions"]
    v2 = answers(url, by_v2(rows))["outputs"]
    assert (v2[0]["name"], v2[0]["shape"], v2[0]["datatype"]) == ("output-0", [len(rows), 1], "FP32")
    assert v2[0]["data"] == pytest.approx([each[0] for each in v1], abs=1e-6)
    assert roc_auc_score(rows.clk, v2[0]["data"]) > 0.75
    wrong = gateway.ask(url, body=by_v2(rows.drop(columns="price")))
    assert (wrong.status, "missing: price; the model takes" in wrong.text) == (400, True)


def test_the_platforms_own_server_says_the_same_from_the_registry(outputs: dict[str, Any], later: Part) -> None:
    rows = later[0].head(200)
    tensors = [tensor(name, values) for name, values in rows.drop(columns="clk").items()]
    said = answers(outputs["prediction_urls"]["clicks"], {"inputs": tensors})["outputs"]
    theirs = answers(outputs["prediction_urls"]["ctr"], by_v2(rows))["outputs"][0]["data"]
    assert [each["name"] for each in said] == ["0", "1"]
    assert said[1]["data"] == pytest.approx(theirs, abs=1e-5)


def tensor(name: str, values: pandas.Series) -> dict[str, Any]:
    """Texts, or numbers of which some may be missing."""
    if not pandas.api.types.is_numeric_dtype(values):
        return {"name": name, "shape": [len(values)], "datatype": "BYTES", "data": [*values]}
    data = [None if pandas.isna(each) else each for each in values.tolist()]
    return {"name": name, "shape": [len(values)], "datatype": "FP64", "data": data}


def test_a_pod_of_the_cluster_asks_without_a_gateway(outputs: dict[str, Any], later: Part) -> None:
    program = (
        "import sys, urllib.request as web\n"
        "asked = web.Request(sys.argv[1], sys.argv[2].encode(), {'Content-Type': 'application/json'})\n"
        "print(web.urlopen(asked, timeout=30).read().decode())"
    )
    pods = machine.client().list("v1", "Pod", "models", labels="serving.kserve.io/inferenceservice=ctr")
    words = ("kubectl", "-n", "models", "exec", pods[0]["metadata"]["name"], "-c", "kserve-container", "--")
    body = json.dumps(by_v2(later[0].head(1)))
    done = machine.tool(*words, "python3", "-c", program, outputs["cluster_urls"]["ctr"], body)
    assert done.returncode == 0, done.stdout
    assert len(json.loads(done.stdout.splitlines()[-1])["outputs"][0]["data"]) == 1


def test_one_predictor_becomes_ten_under_load_and_one_again(outputs: dict[str, Any], later: Part) -> None:
    url = outputs["prediction_urls"]["ctr"]
    answers(url, by_v2(later[0].head(1)))
    with Load(url, by_v2(later[0]), clients=30) as load:
        until(lambda: len(ready()) == REPLICAS, f"there are not {REPLICAS} replicas", 300)
    assert not load.problems
    until(lambda: len(ready()) == 1, "there is more than one replica without a request", 180)


def ready() -> list[Any]:
    """The pods of the predictor that take requests."""
    pods = machine.client().list("v1", "Pod", "models", labels="serving.kserve.io/inferenceservice=ctr")
    stay = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    conditions = [(pod, each) for pod in stay for each in pod.get("status", {}).get("conditions", [])]
    return [pod for pod, each in conditions if each["type"] == "Ready" and each["status"] == "True"]


def test_workers_with_an_image_of_ones_own_find_each_other_and_the_first_ones_model_is_judged(
    outputs: dict[str, Any], settings: Path, tmp_path: Path
) -> None:
    (image,) = (reference for name, reference in machine.images().items() if name.startswith("training-"))
    own = {"operator": "torch", "data": "iris", "model": "joined", "image": image, "command": ["python", "-c", PROGRAM]}
    more = {"runs": {"joined": own}, "models": {"joined": {"gate": {"at_least": 0.8}}}}
    done = machine.up(machine.settings("workloads", more, tmp_path, base=settings / machine.STACK_FILE.name))
    assert done.returncode == 0, done.stdout
    assert machine.outputs()["model_versions"]["joined"] == versions.champion("joined").version
    jobs = machine.client().list(TRAINER, "TrainJob", "models")
    (job,) = (each for each in jobs if each["metadata"]["name"].startswith("joined-"))
    labels = f"jobset.sigs.k8s.io/jobset-name={job['metadata']['name']}"
    assert len(machine.client().list("v1", "Pod", "models", labels=labels)) == 2
