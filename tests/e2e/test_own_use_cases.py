"""Use cases of one's own, laid over the running platform by settings: all examples of the project, from bytes in the
object store to a champion, and some to a prediction. Two runs compete for the quality of wines."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas
import pytest
import yaml
from ml_local import environment, paths
from ml_local.node.layout import layout
from ml_local.predict import of_outputs
from ml_runtime import tracking
from support import machine, store, versions

EXAMPLES = paths.checkout() / "workloads" / "examples"
USE_CASES = ("wine", "wine-quality", "text", "readings", "demand", "churn")
PUT = USE_CASES[1:]
"""Those whose data a program of the example makes; wine's come with scikit-learn."""
KEY = "examples/wine-quality.csv"
DULL = {"data": "wine-quality", "model": "wine-quality", "estimator": "ridge", "parameters": {"alpha": 1e9}}
"""A run that says the mean of all wines; its gate comes before the example's own."""
SCORES = {"operator": "batch", "data": "churn", "model": "churn", "output": "s3://datasets/scores/"}
MORE: dict[str, dict[str, Any]] = {
    "runs": {"dull": DULL, "scores": SCORES},
    "models": {"wine-quality": {"gate": {"metric": "rmse"}}},
    "serving": {name: {"model": name} for name in ("wine-quality", "churn")},
    "quota": {"cpu": "32", "memory": "32Gi"},
}


@pytest.fixture(scope="module")
def config(platform: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings of the checkout with all examples, and with a run that competes."""
    blocks: dict[str, dict[str, Any]] = {}
    for more in (*map(example, USE_CASES), MORE):
        blocks = {noun: {**blocks.get(noun, {}), **more.get(noun, {})} for noun in {**blocks, **more}}
    return machine.settings("workloads", blocks, tmp_path_factory.mktemp("own"))


def example(name: str) -> dict[str, Any]:
    """Its blocks of settings."""
    return dict(yaml.safe_load((EXAMPLES / name / "workloads.yaml").read_text()))


@pytest.fixture(scope="module")
def outputs(config: Path) -> Iterator[dict[str, Any]]:
    """Those of the stack with all of them; afterwards it is as it was."""
    env = {**os.environ, **environment.variables(layout())}
    for name in PUT:
        made = machine.run([sys.executable, "-m", f"{name}.data"], 300, env, EXAMPLES)
        assert made.returncode == 0, made.stdout
    done = machine.up(config, timeout=1800)  # eight models at once, on two processors
    assert done.returncode == 0, done.stdout
    yield machine.outputs()
    done = machine.up()
    assert done.returncode == 0, done.stdout


def champions_run(model: str) -> Any:
    return versions.tracking().get_run(str(versions.champion(model).run_id))


def test_the_model_of_wine_passes_its_gate_and_is_champion(outputs: dict[str, Any]) -> None:
    assert versions.champion("wine").version == outputs["model_versions"]["wine"]
    run = champions_run("wine")
    assert run.data.metrics["test_rmse"] <= 0.7
    assert run.data.params["alpha"] == "0.05"


@pytest.mark.parametrize(
    ("model", "metric", "least"),
    [("letters", "macro_f1", 0.9), ("readings", "roc_auc", 0.9), ("churn", "roc_auc", 0.75), ("demand", "r2", 0.5)],
)
def test_each_of_the_others_passes_its_gate(model: str, metric: str, least: float, outputs: dict[str, Any]) -> None:
    assert versions.champion(model).version == outputs["model_versions"][model]
    assert champions_run(model).data.metrics[f"test_{metric}"] >= least


def test_machines_and_customers_are_either_learned_from_or_tested_on(outputs: dict[str, Any]) -> None:
    for model in ("readings", "churn"):
        run = champions_run(model)
        assert tracking.GROUPS_DIGEST in run.data.tags
        kept = versions.tracking().list_artifacts(run.info.run_id, "gate")
        assert kept, "the gate has drawn its intervals"


def test_a_text_and_a_row_with_categories_are_answered(outputs: dict[str, Any]) -> None:
    letter = machine.make("predict", "ARGS=text='my parcel has not arrived since March'")
    assert letter.returncode == 0, letter.stdout
    assert "-> delivery " in letter.stdout
    customer = machine.make("predict", "ARGS=country=DE plan=basic tenure=2 orders=0 support=4", "MODEL=churn")
    assert customer.returncode == 0, customer.stdout
    assert "-> yes " in customer.stdout


def test_what_is_scored_is_what_the_server_answers(outputs: dict[str, Any]) -> None:
    bucket, _, prefix = outputs["scores"]["scores"].removeprefix("s3://").partition("/")
    report, part = (
        store.client().get_object(Bucket=bucket, Key=f"{prefix}{name}")["Body"].read()
        for name in ("_report.json", "part-00000.parquet")
    )
    scored = pandas.read_parquet(BytesIO(part))
    assert json.loads(report)["rows"] == len(scored)
    (churn,) = (each for each in of_outputs(outputs) if each.name == "churn")
    rows = scored.dropna().head(40)
    answer = churn.ask({name: [*map(str, rows[name])] for name in churn.inputs()})
    assert answer.predictions == [*rows.prediction]
    assert {"yes", "no"} == set(rows.prediction)


def test_the_program_that_ran_is_kept_with_its_run(outputs: dict[str, Any]) -> None:
    kept = versions.tracking().list_artifacts(champions_run("wine").info.run_id, "code")
    assert {"code/train.py", "code/run.json", "code/requirements.txt"} <= {each.path for each in kept}


def test_the_model_of_wine_says_how_much_alcohol_a_wine_has(outputs: dict[str, Any]) -> None:
    done = machine.make("predict", f"FILE={EXAMPLES / 'wine' / 'wine.json'}")
    assert done.returncode == 0, done.stdout
    found = re.search(r"-> ([0-9.]+) ", done.stdout)
    assert found, done.stdout
    assert 12.5 < float(found[1]) < 15  # it has 14.23


def test_a_csv_of_a_german_spreadsheet_is_learned_from_as_it_is(outputs: dict[str, Any], tmp_path: Path) -> None:
    request = tmp_path / "wines.json"
    measured = {"fixed acidity": [7.0, 7.0], "residual sugar": [2.5, 2.5], "sulphates": [0.6, 0.6]}
    request.write_text(json.dumps({**measured, "alcohol": [13.0, 9.0]}))
    done = machine.make("predict", f"FILE={request}")
    assert done.returncode == 0, done.stdout
    found = re.search(r"-> ([0-9.]+), ([0-9.]+) ", done.stdout)
    assert found, done.stdout
    assert [*map(float, found.groups())] == pytest.approx([7.2, 5.5], abs=0.3)


def test_of_two_runs_for_one_model_the_better_one_has_the_champion(outputs: dict[str, Any]) -> None:
    assert versions.champion("wine-quality").version == outputs["model_versions"]["wine-quality"]
    assert champions_run("wine-quality").data.tags[tracking.RUN_KEY].startswith("wine-quality-")


def test_each_of_the_served_models_is_found_by_its_columns_or_by_name(outputs: dict[str, Any]) -> None:
    by_columns = machine.make("predict")
    assert by_columns.returncode == 0, by_columns.stdout
    assert "POST http://iris.models.localhost:8080/" in by_columns.stdout
    wrong = machine.make("predict", "ARGS=ash=1", "MODEL=wine")
    assert wrong.returncode != 0
    assert "don't fit model wine: missing: malic_acid" in wrong.stdout


def test_bytes_that_have_changed_start_the_runs_that_learn_from_them(config: Path, outputs: dict[str, Any]) -> None:
    before = run_of("wine"), run_of("wine-quality")
    table = store.client().get_object(Bucket="datasets", Key=KEY)["Body"].read()
    content = b"".join(table.splitlines(keepends=True)[:-100])
    store.client().put_object(Bucket="datasets", Key=KEY, Body=content)
    kubectl("create", "job", "look", "--from", "cronjob/data-wine-quality")
    kubectl("wait", "--for=condition=complete", "job/look", "--timeout=120s")
    done = machine.up(config)
    assert done.returncode == 0, done.stdout
    assert run_of("wine") == before[0]
    assert run_of("wine-quality") != before[1]
    experiment = versions.tracking().get_experiment_by_name("wine-quality")
    assert experiment
    query = f"tags.`{tracking.RUN_KEY}` = '{run_of('wine-quality')}'"
    (run,) = versions.tracking().search_runs([experiment.experiment_id], query)
    assert run.data.tags[tracking.DATA_DIGEST] == hashlib.sha256(content).hexdigest()


def test_the_first_use_case_is_as_it_was(platform: dict[str, Any], outputs: dict[str, Any]) -> None:
    for output in ("model_versions", "prediction_urls"):
        assert outputs[output]["iris"] == platform[output]["iris"]
    assert set(outputs["prediction_urls"]) == {"iris", "wine", "wine-quality", "letters", "churn"}
    assert set(outputs["model_versions"]) == {"iris", "wine", "wine-quality", "letters", "readings", "demand", "churn"}


def run_of(block: str) -> str:
    """The key of its run."""
    (job,) = machine.client().list("batch/v1", "Job", "models", labels=f"app={block}")
    return str(job["metadata"]["name"])


def kubectl(*words: str) -> None:
    done = machine.tool("kubectl", "--namespace", "models", *words)
    assert done.returncode == 0, done.stdout
