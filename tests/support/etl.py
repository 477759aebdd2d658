"""The iris ETL on a platform of which only its handle is there, with either operator of Spark."""

from __future__ import annotations

from typing import Any

from ml_platform.handle import SparkOperator
from support import recorder, work

COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width", "species")
RAW: dict[str, Any] = {"uri": "s3://datasets/raw/iris.data", "csv": {"header": COLUMNS}, "target": "species"}
CLEAN: dict[str, Any] = {
    "operator": "spark",
    "data": "raw",
    "classes": {"Iris-setosa": 0, "Iris-versicolor": 1, "Iris-virginica": 2},
}
WORK: dict[str, Any] = {
    "data": {"raw": RAW},
    "runs": {"clean": CLEAN, "iris": {"data": "clean.table", "model": "iris"}},
    "models": {"iris": {}},
}
KINDS: dict[SparkOperator, str] = {
    "kubeflow": "kubernetes:sparkoperator.k8s.io/v1beta2:SparkApplication",
    "stackable": "kubernetes:spark.stackable.tech/v1alpha1:SparkApplication",
}


def settings(**changes: Any) -> dict[str, Any]:
    """The ETL, changed, and a training on the table that it leaves."""
    return work.changed(WORK, runs={"clean": changes})


def declare(operator: SparkOperator, **changes: Any) -> recorder.Recorder:
    return work.declare(settings(**changes), operator=operator)


def application(operator: SparkOperator, **changes: Any) -> dict[str, Any]:
    """The object that the operator is to run."""
    return declare(operator, **changes).inputs(KINDS[operator], "clean")
