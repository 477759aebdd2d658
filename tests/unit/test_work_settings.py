"""Settings of the work that can not be: each is refused by its key, with the value, the rule and the command."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads.metrics import BOUNDS, LESS_IS_BETTER, METRICS
from support import etl, tuning
from support.refusals import Case, read, refusal, says
from support.work import IRIS, changed

OWN_IMAGE = f"registry.test/ctr@sha256:{'1' * 64}"
RUN = '{"data": "iris", "model": "iris"}'


def run(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, runs={"iris": changes})


def torch(**changes: Any) -> dict[str, Any]:
    return run(operator="torch", script="own.py", **changes)


def scores(**changes: Any) -> dict[str, Any]:
    block = {"operator": "batch", "data": "iris", "model": "iris", "output": "s3://datasets/scores/"}
    return changed(IRIS, runs={"scores": {**block, **changes}})


def pipeline(**changes: Any) -> dict[str, Any]:
    block = {"operator": "kfp", "pipeline": "flow.py", "output": "s3://datasets/pipelines/"}
    return changed(IRIS, runs={"flow": {**block, **changes}}, serving={"iris": {"model": "iris"}})


def gate(task: str = "classification", **changes: Any) -> dict[str, Any]:
    return changed(IRIS, data={"iris": {"task": task}}, models={"iris": {"gate": changes}})


def search(**changes: Any) -> dict[str, Any]:
    return changed(
        IRIS, runs={"wide": {"operator": "ray", "of": "iris", "space": {"C": {"uniform": [0, 1]}}, **changes}}
    )


def serving(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, serving={"iris": {"model": "iris", **changes}})


OF_RUNS: list[Case] = [
    (run(data="mars"), "runs.iris.data", '"mars"', "allowed: iris"),
    (run(data="iris.table"), "runs.iris.data", '"iris.table"', "allowed: iris"),
    (run(data=None), "runs.iris.data", "null", "a run of operator job has one"),
    (run(model="mars"), "runs.iris.model", '"mars"', "allowed: iris"),
    (run(operator="mpi"), "runs.iris.operator", '"mpi"', "it must be one of: batch, export, job, kfp, ray, spark"),
    (run(operator="torch"), "runs.iris.script", "null", "a run of operator torch has one"),
    (torch(workers=65), "runs.iris.workers", "65", "less than or equal to 64"),
    (torch(workers=0), "runs.iris.workers", "0", "greater than or equal to 1"),
    (torch(checkpoints="s3://datasets/kept"), "runs.iris.checkpoints", '"s3://datasets/kept"', "pattern"),
    (torch(estimator="xgboost"), "runs.iris.estimator", '"xgboost"', "keep one of them"),
    (
        changed(IRIS, runs={"iris-gate": IRIS["runs"]["iris"]}),
        "runs.iris-gate",
        RUN,
        "the gate of run iris has this name",
    ),
    (
        changed(IRIS, runs={"iris-champion": IRIS["runs"]["iris"]}),
        "runs.iris-champion",
        RUN,
        "what makes a champion of",
    ),
    (scores(data="mars"), "runs.scores.data", '"mars"', "allowed: iris"),
    (scores(model="mars"), "runs.scores.model", '"mars"', "allowed: iris"),
    (scores(version="newest"), "runs.scores.version", '"newest"', "allowed: champion, or a number from 1"),
    (scores(output="s3://datasets/scores"), "runs.scores.output", '"s3://datasets/scores"', "pattern"),
    (scores(keep=["a", "A"]), "runs.scores.keep", '["a", "A"]', "must differ in more than their case"),
    (pipeline(pipeline="flow.json"), "runs.flow.pipeline", '"flow.json"', "pattern"),
    (pipeline(output="s3://datasets/pipelines"), "runs.flow.output", '"s3://datasets/pipelines"', "pattern"),
    (pipeline(model="iris"), "runs.flow.data", "null", "a pipeline with model has one as well"),
    (pipeline(data="iris"), "runs.flow.model", "null", "a pipeline with data has one as well"),
    (pipeline(data="iris", model="mars"), "runs.flow.model", '"mars"', "allowed: iris"),
    (pipeline(inputs={"rows": "mars"}), "runs.flow.inputs.rows", '"mars"', "allowed: iris"),
    (
        pipeline(inputs={"rows": "iris"}, parameters={"rows": "a"}),
        "runs.flow.parameters.rows",
        '"a"',
        "inputs have it as well",
    ),
    (
        pipeline(data="iris", model="iris", parameters={"training_rows": "a"}),
        "runs.flow.parameters.training_rows",
        '"a"',
        "the run gives it the training rows of `data`. Remove",
    ),
    (pipeline(pipeline="flow.yaml", modules=["a.py"]), "runs.flow.modules", '["a.py"]', "imports none; remove it"),
    (pipeline(modules=["a/flow.py"]), "runs.flow.modules", '["a/flow.py"]', "two have one name: flow.py, flow.py"),
    (pipeline(secrets={"AWS_REGION": "a"}), "runs.flow.secrets.AWS_REGION", '"a"', "variables of such a name"),
    (pipeline(secrets={"TO-KEN": "a"}), "runs.flow.secrets.TO-KEN", '"TO-KEN"', "pattern"),
    (
        pipeline(data="iris", model="iris", table={}),
        "runs.flow.table",
        "{}",
        "a pipeline with a model leaves that to others",
    ),
    (pipeline(table={"target": "a", "features": ["a"]}), "runs.flow.table.features", '["a"]', "can't be among them"),
    (pipeline(inputs={"rows": "flow.table"}, table={}), "runs.flow.inputs.rows", '"flow.table"', "allowed: iris"),
    (pipeline(volumes={"data": "a"}), "runs.flow.volumes.data", '"data"', "pattern"),
    (pipeline(volumes={"/tmp/a": "a"}), "runs.flow.volumes./tmp/a", '"a"', "allowed: not below /dev, /etc"),
    (pipeline(api="ml-pipeline:8888"), "runs.flow.api", '"ml-pipeline:8888"', "must be platform, or the address"),
    (
        pipeline(api="http://ml-pipeline.kubeflow:8888", secrets={"TOKEN": "a"}),
        "runs.flow.secrets",
        '{"TOKEN": "a"}',
        "stages on Kubeflow Pipelines have what the pipeline gives them. Remove",
    ),
    (pipeline(schedule="daily"), "runs.flow.schedule", '"daily"', "pattern"),
    (pipeline(services=["iris"]), "runs.flow.services", '["iris"]', "serving has iris"),
    (torch(folds=5), "runs.iris.folds is no setting", "", "allowed here: checkpoints, command, data"),
    ({**IRIS, "runs": {"iris": 3}}, "runs.iris", "3", "should be an object"),
    (run(trials=3), "runs.iris.trials is no setting", "", "allowed here: command, data, estimator, folds"),
    (run(script="own.py", estimator="xgboost"), "runs.iris.estimator", '"xgboost"', "keep one of them"),
    (run(script="/own.sh"), "runs.iris.script", '"/own.sh"', "pattern"),
    (run(parameters={"C": [1]}), "runs.iris.parameters.C", "[1]", "a number, a text, true, false or null"),
    (run(parameters={"seed": 7}), "runs.iris.parameters.seed", "7", "the run's own key `seed`"),
    (run(parameters={"random_state": 7}), "runs.iris.parameters.random_state", "7", "the run's own key `seed`"),
    (run(parameters={"max_features": 1}), "runs.iris.parameters.max_features", "1", "null is all of them"),
    (run(retries=11), "runs.iris.retries", "11", "less than or equal to 10"),
    (etl.settings(data="mars"), "runs.clean.data", '"mars"', "allowed: raw"),
    (etl.settings(classes={"a": 1}), "runs.clean.classes", '{"a": 1}', "at least 2"),
    (etl.settings(classes={"a": 1.5, "b": 2}), "runs.clean.classes.a", "1.5", "a whole number or a text"),
    (etl.settings(output="s3://datasets/folder"), "runs.clean.output", '"s3://datasets/folder"', "pattern"),
    (etl.settings(output="s3://datasets/../folder/"), "runs.clean.output", '"s3://datasets/..', "an empty part"),
    (etl.settings(script="a.py", application="/b.py"), "runs.clean.application", '"/b.py"', "keep one of them"),
    (etl.settings(application="b.py"), "runs.clean.application", '"b.py"', "pattern"),
    (etl.settings(driver={"memory": "512Mi"}), "runs.clean.driver.memory", '"512Mi"', "704Mi or more"),
    (etl.settings(executor={"instances": 2, "max_instances": 2}), "runs.clean.executor.max_instances", "2", "exceed"),
    (etl.settings(table={"features": ["species"]}), "runs.clean.table.features", '["species"]', "can't be among them"),
    (etl.settings(table={"test": {"by": ["species"]}}), "runs.clean.table.test", '{"by"', "can't say which rows test"),
]
TARGETLESS = changed(etl.settings(), data={"raw": {"target": None}})
OF_SEARCHES: list[Case] = [
    (TARGETLESS, "runs.clean.table.target", "null", "runs.iris learns from it: name the column to predict"),
    (search(of="mars"), "runs.wide.of", '"mars"', "allowed: iris"),
    (search(of="wide"), "runs.wide.of", '"wide"', "allowed: iris"),
    (search(data="iris"), "runs.wide.data", '"iris"', "it is that of run iris; remove it"),
    (search(of=None), "runs.wide.data", "null", "a search has one, or takes that of another run by `of`"),
    (search(script="own.py"), "runs.wide.script", '"own.py"', "it is that of run iris; remove it"),
    (search(space={}), "runs.wide.space", "{}", "at least one parameter"),
    (search(space={"C": {}}), "runs.wide.space.C", "{}", "it has one of: uniform, log_uniform, integer, choice"),
    (search(space={"C": {"uniform": [1, 2], "choice": [1]}}), "runs.wide.space.C", "{", "it has one of"),
    (search(space={"C": {"uniform": [2, 1]}}), "runs.wide.space.C.uniform", "[2, 1]", "less than the second"),
    (search(space={"C": {"log_uniform": [0, 1]}}), "runs.wide.space.C.log_uniform", "[0, 1]", "above 0"),
    (search(space={"C": {"integer": [1.5, 2]}}), "runs.wide.space.C.integer", "[1.5, 2]", "two whole numbers"),
    (search(space={"C": {"choice": []}}), "runs.wide.space.C.choice", "[]", "at least 1 item"),
    (search(space={"C": {"choice": ["0.5"]}}), "runs.wide.space.C.choice[0]", '"0.5"', "without quotes"),
    (search(space={"max_samples": {"choice": [0.5, 1]}}), "runs.wide.space.max_samples.choice", "[0.5, 1]", "null is"),
    (search(parameters={"C": 1}), "runs.wide.parameters.C", "1", "keep one of them"),
    (search(metric="rmse"), "runs.wide.metric", '"rmse"', "for classification there are accuracy, "),
    (search(trials=0), "runs.wide.trials", "0", "greater than or equal to 1"),
    (search(runner="ray"), "runs.wide.runner", '"ray"', "'job' or 'ray-job'"),
    (
        search(runner="ray-job", resources={"memory_limit": "1Gi"}),
        "runs.wide.resources.memory_limit", '"1Gi"', "a RayJob needs 2Gi or more",
    ),
    (
        changed(IRIS, runs={"wide": {"operator": "ray", "of": "iris"}}),
        "runs.wide.space", "null", "it must be given for logistic-regression",
    ),
    (tuning.settings(estimator="random-forest"), "runs.iris.space", "null", "it must be given for random-forest"),
    (tuning.settings(data="clean"), "runs.iris.data", '"clean"', "allowed: raw, clean.table"),
    (
        changed(search(), models={"iris": {"gate": {"metric": "own.py"}}}),
        "runs.wide.metric", "null", "can't be compared by the gate's own.py: name one",
    ),
]  # fmt: skip
OF_MODELS: list[Case] = [
    (gate(accuracy=1), "models.iris.gate.accuracy is no setting", "", "allowed here: allow_signature_change, approval"),
    (gate(metric="f2"), "models.iris.gate.metric", '"f2"', "a metric's name, or a program with a function score"),
    (gate(metric="rmse"), "models.iris.gate.metric", '"rmse"', "for classification there are accuracy, "),
    (gate("regression", metric="accuracy"), "models.iris.gate.metric", '"accuracy"', "for regression there are rmse, "),
    (gate(at_least=95), "models.iris.gate.at_least", "95", "accuracy is from 0 to 1"),
    (gate(at_most=0.1), "models.iris.gate.at_most", "0.1", "more accuracy is better: it has at_least"),
    (gate(metric="log_loss", at_least=1), "models.iris.gate.at_least", "1", "less log_loss is better: it has at_most"),
    (gate("regression", at_least=0.9), "models.iris.gate.at_least", "0.9", "less rmse is better: it has at_most"),
    (gate("regression", at_most=-1), "models.iris.gate.at_most", "-1", "rmse is from 0 to inf"),
    (gate(at_least=0.5, at_most=0.9), "models.iris.gate.at_most", "0.9", "one of at_least and at_most"),
    (gate(min_rows=0), "models.iris.gate.min_rows", "0", "greater than or equal to 1"),
    (gate(versus_champion={"confidence": 1}), "models.iris.gate.versus_champion.confidence", "1", "less than 1"),
    (gate(flavours=[]), "models.iris.gate.flavours", "[]", "at least 1 item"),
    (gate(approval="both"), "models.iris.gate.approval", '"both"', "'automatic' or 'manual'"),
    (changed(IRIS, models={"iris": {"approved": 2}}), "models.iris.approved", "2", "the gate's approval is automatic"),
]
OF_SERVING: list[Case] = [
    (serving(model="mars"), "serving.iris.model", '"mars"', "allowed: iris"),
    (serving(version=0), "serving.iris.version", "0", "champion, or a number from 1"),
    (serving(version="newest"), "serving.iris.version", '"newest"', "champion, or a number from 1"),
    (serving(alias="x"), "serving.iris.alias is no setting", "", "allowed here: canary, container_concurrency"),
    (serving(version=1, canary={"version": 1}), "serving.iris.canary.version", "1", "another version than `version`"),
    (serving(canary={"version": "champion"}), "serving.iris.canary.version", '"champion"', "integer"),
    (serving(canary={"version": 2, "percent": 0}), "serving.iris.canary.percent", "0", "greater than or equal to 1"),
    (serving(canary={"version": 2, "percent": 100}), "serving.iris.canary.percent", "100", "less than or equal to 99"),
    (serving(min_replicas=3), "serving.iris.min_replicas", "3", "must not exceed max_replicas, which is 2"),
    (serving(scale_metric="cpu", scale_target=101), "serving.iris.scale_target", "101", "at most 100"),
    (serving(scale_target=9, container_concurrency=8), "serving.iris.scale_target", "9", "no more than container"),
    (serving(scale_metric="temperature"), "serving.iris.scale_metric", '"temperature"', "'rps'"),
    (serving(liveness={"period": 0}), "serving.iris.liveness.period", "0", "greater than or equal to 1"),
    (serving(image=OWN_IMAGE), "serving.iris.image", f'"{OWN_IMAGE}"', "the block has 'model' as well"),
    (serving(port=1), "serving.iris.port is no setting", "", "allowed here: canary, container_concurrency"),
]


@pytest.mark.parametrize(
    ("settings", "path", "given", "rule"),
    [*OF_RUNS, *OF_SEARCHES, *OF_MODELS, *OF_SERVING],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_be_is_refused_by_its_key(settings: dict[str, Any], path: str, given: str, rule: str) -> None:
    says(refusal(settings), path, given, rule)


@pytest.mark.parametrize("other", ["iris-canary", "canary-iris", "iris-predictor", "iris-canary-predictor"])
def test_a_block_does_not_take_the_name_of_what_stands_for_another(other: str) -> None:
    served = {name: {"model": "iris"} for name in ("iris", other)}
    says(refusal({**IRIS, "serving": served}), f"serving.{other}", "{", "block 'iris' makes things of this name")


@pytest.mark.parametrize("metric", [name for names in METRICS.values() for name in names])
def test_each_metric_has_a_bound_of_one_direction(metric: str) -> None:
    (task,) = (task for task, names in METRICS.items() if metric in names)
    right, wrong = ("at_most", "at_least") if metric in LESS_IS_BETTER else ("at_least", "at_most")
    bound = max(BOUNDS[metric][0], 0)
    assert read(gate(task, metric=metric, **{right: bound})).models["iris"].rules(task)[right] == bound
    assert f"models.iris.gate.{wrong} is {bound}: " in refusal(gate(task, metric=metric, **{wrong: bound}))


@pytest.mark.parametrize(
    ("cpu", "text"), [(1, "1"), (0.5, "0.5"), ("500m", "500m")], ids=["a number", "a fraction", "a text"]
)
def test_processors_may_be_written_as_a_number_and_memory_with_its_unit_only(cpu: Any, text: str) -> None:
    assert read(run(resources={"cpu": cpu})).learning["iris"].resources.cpu == text
    says(refusal(run(resources={"memory": 512})), "runs.iris.resources.memory", "512", "should be a valid string")
