"""Work on a platform of which only its handle is there: what it asks the engine for."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from ml_platform.handle import (
    ObjectStoreAccess,
    PlatformHandle,
    PlatformOutputs,
    ServingMode,
    SparkAccess,
    SparkOperator,
    TrainingAccess,
    TrainingOperator,
)
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.workloads import Workloads
from pulumi.runtime import mocks
from support import pools, recorder, stacks

JOB, CONFIGMAP = "kubernetes:batch/v1:Job", "kubernetes:core/v1:ConfigMap"
IRIS: dict[str, Any] = {
    "data": {"iris": {"uri": "sklearn:iris", "target": "species"}},
    "runs": {"iris": {"data": "iris", "model": "iris"}},
    "models": {"iris": {}},
}


def changed(settings: dict[str, Any], **blocks: dict[str, Any]) -> dict[str, Any]:
    """The settings with these entries of their blocks, each with what is changed of it."""
    found = {kind: dict(named) for kind, named in settings.items()}
    for kind, named in blocks.items():
        for name, entry in named.items():
            found[kind] = {**found.get(kind, {}), name: {**found.get(kind, {}).get(name, {}), **entry}}
    return found


def declare(
    settings: dict[str, Any],
    *,
    mode: ServingMode = "knative",
    operator: SparkOperator = "kubeflow",
    training: TrainingOperator = "trainer",
    repository: pulumi.Output[str | None] | None = None,
    images: dict[str, str] | None = None,
    world: mocks.Mocks | None = None,
    secrets: dict[str, str] | None = None,
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
            gateway=known("edge/entry"),
            object_store_url=known("http://s3.test"),
            entry_namespaces=known(["gateway", "istio-system"]),
            namespaces=known(["gateway"]),
            images={
                **stacks.images(("training", "spark", "tuning", "mlserver", "pipeline", "monitor")),
                **(images or {}),
            },
            kubeconfig=known("{}"),
            cluster=known("uid"),
            spark=SparkAccess(
                operator=operator, namespace="spark-jobs", jobs=known("spark-jobs"), repository=repository
            ),
            ray=known("kuberay-system"),
            pipelines=known("http://kfp.test:8888"),
            training=TrainingAccess(operator=training, accepts=known("training")),
            pools=pools.PLACED,
        )
        handle = PlatformHandle(provider=kubernetes.Provider("cluster", kubeconfig="{}"), outputs=outputs)
        work = Workloads("workloads", handle, WorkloadsSettings.model_validate_json(json.dumps(settings)), {})
        for name, value in work.exports().items():
            pulumi.export(name, value)

    return recorder.record(program, config=secrets, secrets=secrets or (), world=world)


def told(tree: recorder.Recorder, run: str = "iris") -> dict[str, Any]:
    """What a run is told."""
    return dict(json.loads(tree.inputs(CONFIGMAP, f"{run}-run")["data"]["run.json"]))


def key(tree: recorder.Recorder, run: str = "iris") -> str:
    """The key of a run, which is the name of its object."""
    return str(tree.inputs("RunOutcome", run)["run"])


def keys(tree: recorder.Recorder) -> dict[str, str]:
    """The key of each run, by its name."""
    outcomes = [each.name for each in tree.requests.values() if each.type.endswith(":RunOutcome")]
    return {name: key(tree, name) for name in outcomes}


def pod(tree: recorder.Recorder, run: str = "iris") -> dict[str, Any]:
    """The specification of a run's pod."""
    found: dict[str, Any] = tree.inputs(JOB, run)["spec"]["template"]["spec"]
    return found
