"""A pipeline of Kubeflow Pipelines keeps a model good by itself: six stages to a served model, three where it still is
good, six again when the data have become others. No update of the stack is between them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import environment, paths
from ml_local.node.layout import layout
from ml_runtime import tracking
from support import gateway, machine, store, versions
from support.flowers import FLOWERS
from support.until import until

EXAMPLES = paths.checkout() / "workloads" / "examples"
INCH = 2.54
FOLDER = "pipelines/"
GATED = """
from kfp import dsl
from kfp.dsl import Dataset, Model, Output

@dsl.component
def tidy(training_rows: str, table: Output[Dataset]):
    import pandas
    pandas.read_parquet(training_rows).to_parquet(table.path)

@dsl.component(packages_to_install=["scikit-learn>=1.5"])
def learn(table: dsl.Input[Dataset], model: Output[Model]):
    import mlflow, pandas
    from sklearn.linear_model import LogisticRegression
    rows = pandas.read_parquet(table.path)
    columns = rows.drop(columns="species")
    fitted = LogisticRegression(max_iter=500).fit(columns, rows["species"])
    signature = mlflow.models.infer_signature(columns, fitted.predict(columns))
    mlflow.sklearn.save_model(fitted, model.path, signature=signature, serialization_format="skops")

@dsl.pipeline
def gated(training_rows: str):
    learn(table=tidy(training_rows=training_rows).outputs["table"])
"""
TABLED = """
from kfp import dsl
from kfp.dsl import Dataset, Output

@dsl.component
def clean(flowers: str, table: Output[Dataset]):
    import io, pandas
    from ml_runtime import places, store
    content = store.read(places.stored(flowers, "flowers"), 60)
    pandas.read_csv(io.BytesIO(content)).drop_duplicates().to_parquet(table.path)

@dsl.pipeline
def tabled(flowers: str):
    clean(flowers=flowers)
"""
BY_WORDS = """
from kfp import dsl

@dsl.component
def weigh(flowers: str):
    print("weighing", flowers)
    raise ValueError("no scale here")

@dsl.pipeline
def scale(flowers: str):
    weigh(flowers=flowers)
"""


@pytest.fixture(scope="module")
def block() -> dict[str, Any]:
    return dict(yaml.safe_load((EXAMPLES / "retraining" / "workloads.yaml").read_text()))


@pytest.fixture(scope="module")
def first(platform: dict[str, Any], block: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The key of the first run; afterwards the stack is as it was."""
    put()
    config = machine.settings("workloads", block, tmp_path_factory.mktemp("pipelines"))
    done = machine.make("up", f"CONFIG={config}")
    assert done.returncode == 0, done.stdout
    yield machine.outputs()["artifacts"]["retraining"].removeprefix(f"s3://datasets/{FOLDER}").rstrip("/")
    kubectl("delete", "inferenceservice", "flowers")
    done = machine.up()
    assert done.returncode == 0, done.stdout


def put(*words: str) -> None:
    """The flowers into the object store, measured in a unit."""
    env = {**os.environ, **environment.variables(layout())}
    made = machine.run([sys.executable, "-m", "retraining.data", *words], 300, env, EXAMPLES)
    assert made.returncode == 0, made.stdout


def again(name: str) -> None:
    """The pipeline as its clock starts it."""
    kubectl("create", "job", name, "--from", "cronjob/retraining")
    kubectl("wait", "--for=condition=complete", f"job/{name}", "--timeout=240s")


def kubectl(*words: str) -> str:
    done = machine.tool("kubectl", "--namespace", "models", *words)
    assert done.returncode == 0, done.stdout
    return done.stdout


def stages(run: str) -> set[str]:
    """Those that have left something."""
    found = store.client().list_objects_v2(Bucket="datasets", Prefix=f"{FOLDER}{run}/")["Contents"]
    return {each["Key"].split("/")[2] for each in found} - {"pipeline.yaml"}


def said(run: str, stage: str) -> Any:
    """What a stage gave back."""
    key = f"{FOLDER}{run}/{stage}/executor_output.json"
    content = store.client().get_object(Bucket="datasets", Key=key)["Body"].read()
    return json.loads(content)["parameterValues"]["Output"]


def species(unit: float = 1.0) -> list[str]:
    """What the service answers to flowers that are measured in such units."""
    url = machine.client().get("serving.kserve.io/v1beta1", "InferenceService", "flowers", "models")["status"]["url"]
    found = []
    for flower in FLOWERS.values():
        rows = gateway.rows({name: value / unit for name, value in flower.items()})
        answer = gateway.ask(f"{url}:8080/v2/models/flowers/infer", body=rows)
        assert answer.status == 200, answer.text
        found += json.loads(answer.text)["outputs"][0]["data"]
    return found


def version() -> tuple[str, str]:
    """The champion, and what the service serves."""
    service = machine.client().get("serving.kserve.io/v1beta1", "InferenceService", "flowers", "models")
    return versions.champion("flowers").version, service["spec"]["predictor"]["model"]["storageUri"]


def test_six_stages_lead_from_data_to_a_served_model(first: str) -> None:
    assert stages(first) == {"ingest", "split", "detect", "train", "register", "serve"}
    assert (said(first, "detect"), said(first, "train") > 0.9) == (0.0, True), "there was no model"
    assert version() == ("1", "mlflow://flowers/1")
    names = [name.lower().removeprefix("iris-") for name in FLOWERS]
    until(lambda: species() == names, "the service says what the flowers are", 30)


def test_its_account_may_change_the_service_that_it_makes_and_no_other(first: str) -> None:
    account = "system:serviceaccount:models:run-retraining"

    def may(verb: str, what: str) -> bool:
        return (
            machine.tool("kubectl", "--namespace", "models", "auth", "can-i", verb, what, "--as", account).returncode
            == 0
        )

    services = "inferenceservices.serving.kserve.io"
    assert all(may(verb, f"{services}/flowers") for verb in ("get", "patch", "delete"))
    assert may("create", services)
    assert not any(may(verb, f"{services}/iris") for verb in ("get", "patch", "delete"))
    assert not any(may(verb, "secrets") for verb in ("get", "list", "create"))


def test_a_model_that_is_still_good_is_left_alone_and_one_that_is_not_is_made_anew(first: str) -> None:
    again("as-before")
    assert stages("as-before") == {"ingest", "split", "detect"}
    assert version() == ("1", "mlflow://flowers/1")
    put("--inches")
    again("in-inches")
    assert said("in-inches", "detect") < 0.7
    assert stages("in-inches") == stages(first)
    assert version() == ("2", "mlflow://flowers/2")
    names = [name.lower().removeprefix("iris-") for name in FLOWERS]
    until(lambda: species(INCH) == names, "the service knows flowers in inches", 30)
    assert tracking.FILES_DIGEST in versions.champion("flowers").tags


def test_a_model_of_a_stage_is_judged_by_a_gate_and_a_table_of_one_is_learned_from(
    first: str, block: dict[str, Any], tmp_path: Path
) -> None:
    for name, text in (("gated", GATED), ("tabled", TABLED)):
        (tmp_path / f"{name}.py").write_text(text)
    shared = {"operator": "kfp", "output": f"s3://datasets/{FOLDER}"}
    runs = {
        "gated": {**shared, "pipeline": shown(tmp_path / "gated.py"), "data": "flowers", "model": "gated"},
        "tabled": {
            **shared,
            "pipeline": shown(tmp_path / "tabled.py"),
            "inputs": {"flowers": "flowers"},
            "table": {"target": "species"},
        },
        "after": {"data": "tabled.table", "model": "after"},
    }
    data = {"flowers": {**block["data"]["flowers"], "target": "species"}}
    models = {name: {"gate": {"at_least": 0.8}} for name in ("gated", "after")}
    done = machine.up(machine.settings("workloads", {"data": data, "runs": runs, "models": models}, tmp_path))
    assert done.returncode == 0, done.stdout
    assert {model: machine.outputs()["model_versions"][model] for model in models} == dict.fromkeys(models, "1")
    run = versions.tracking().get_run(str(versions.champion("gated").run_id))
    assert (run.data.params["pipeline"], run.data.metrics["training_rows"] < 130) == ("gated.py", True)
    assert {each.path for each in versions.tracking().list_artifacts(run.info.run_id, "code")} >= {"code/gated.py"}


def shown(path: Path) -> str:
    """As settings name it."""
    return os.path.relpath(path, paths.checkout())


def test_a_stage_that_fails_ends_the_run_with_its_name_and_its_last_lines(
    first: str, block: dict[str, Any], tmp_path: Path
) -> None:
    pipeline = tmp_path / "scale.py"
    pipeline.write_text(BY_WORDS)
    flow = {
        **block["runs"]["retraining"],
        "pipeline": shown(pipeline),
        "parameters": {},
        "services": [],
    }
    done = machine.up(machine.settings("workloads", {**block, "runs": {"scale": flow}}, tmp_path))
    assert done.returncode != 0
    for words in ("Run scale-", "error: stage weigh failed:", "weighing s3://datasets/examples/flowers.csv"):
        assert words in done.stdout
    assert "ValueError: no scale here" in done.stdout
