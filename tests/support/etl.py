"""The iris ETL, and other work, on a platform of which only its handle is there, with either operator of Spark."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import boto3
import pulumi
from ml_platform.handle import (
    ObjectStoreAccess,
    PlatformHandle,
    PlatformOutputs,
    ServingMode,
    SparkAccess,
    SparkOperator,
)
from ml_platform.kube import Client
from ml_platform.store import WORKLOADS
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.workloads import Workloads
from support import pools, recorder

COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width", "species")
RAW: dict[str, Any] = {"source": "uploaded", "key": "raw/iris.data", "columns": COLUMNS}
ETL: dict[str, Any] = {
    "dataset": "raw",
    "target": "species",
    "classes": {"Iris-setosa": 0, "Iris-versicolor": 1, "Iris-virginica": 2},
}
KINDS: dict[SparkOperator, str] = {
    "kubeflow": "kubernetes:sparkoperator.k8s.io/v1beta2:SparkApplication",
    "stackable": "kubernetes:spark.stackable.tech/v1alpha1:SparkApplication",
}


def work(**changes: Any) -> dict[str, Any]:
    """Settings of the workloads: the ETL, changed, and a training on what it leaves."""
    training = {"dataset": {"etl": "iris"}, "target": "species"}
    return {"datasets": {"raw": RAW}, "etl": {"iris": {**ETL, **changes}}, "training": {"iris": training}}


def declare(operator: SparkOperator, **changes: Any) -> recorder.Recorder:
    return declare_work(work(**changes), operator)


def declare_work(
    settings: dict[str, Any],
    operator: SparkOperator = "kubeflow",
    repository: pulumi.Output[str | None] | None = None,
    mode: ServingMode = "knative",
) -> recorder.Recorder:
    """All that these workloads ask the engine for."""
    import pulumi_kubernetes as kubernetes

    def program() -> None:
        known = pulumi.Output.from_input
        outputs = PlatformOutputs(
            mlflow_url=known("http://mlflow.test:5000"),
            object_store=ObjectStoreAccess(
                endpoint=known("http://s3.test:7070"),
                region=known("r"),
                access_key=known("workloads"),
                secret_key=pulumi.Output.secret("very secret"),
                checksums=known("when_supported"),
                buckets=("datasets",),
            ),
            serving_mode=mode,
            serving=known(mode),
            url_template=known("http://{host}.test"),
            gateway=known("gateway/gateway"),
            object_store_url=known("http://s3.test"),
            entry_namespaces=known(["gateway"]),
            namespaces=known(["gateway"]),
            images={
                name: f"registry.test/{name}@sha256:{'0' * 64}" for name in ("training", "spark", "tuning", "mlserver")
            },
            kubeconfig=known("{}"),
            cluster=known("uid"),
            spark=SparkAccess(
                operator=operator, namespace="spark-jobs", jobs=known("spark-jobs"), repository=repository
            ),
            ray=known("kuberay-system"),
            pools=pools.PLACED,
        )
        handle = PlatformHandle(provider=kubernetes.Provider("cluster", kubeconfig="{}"), outputs=outputs)
        Workloads("workloads", handle, WorkloadsSettings.model_validate(settings), {})

    return recorder.record(program)


def application(operator: SparkOperator, **changes: Any) -> dict[str, Any]:
    """The object that the operator is to run."""
    return declare(operator, **changes).inputs(KINDS[operator], "iris")


def object_store(client: Client, endpoint: str) -> Any:
    """An S3 client with the keys that Spark has on the real node."""
    secrets = {each["metadata"]["name"]: each["data"] for each in client.list("v1", "Secret", "spark-jobs")}
    keys = next(data for name, data in secrets.items() if name.endswith("-keys"))
    secret = b64decode(keys["secret"]).decode()
    return boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=WORKLOADS, aws_secret_access_key=secret)
