"""Served models on a platform of which only its handle is there."""

from __future__ import annotations

from typing import Any

import pulumi
from ml_platform.handle import ObjectStoreAccess, PlatformHandle, PlatformOutputs, ServingMode
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.workloads import Workloads
from support import pools, recorder

ISVC = "kubernetes:serving.kserve.io/v1beta1:InferenceService"


def declare(mode: ServingMode, **serving: Any) -> recorder.Recorder:
    """One block `iris` that serves version 3 of model iris, with what else is given."""
    import pulumi_kubernetes as kubernetes

    def program() -> None:
        known = pulumi.Output.from_input
        outputs = PlatformOutputs(
            mlflow_url=known("http://mlflow.test:5000"),
            object_store=ObjectStoreAccess(
                endpoint=known("http://s3.test"),
                region=known("r"),
                access_key=known("k"),
                secret_key=known("s"),
                checksums=known("when_supported"),
                buckets=("data",),
            ),
            serving_mode=mode,
            serving=known(mode),
            url_template=known("http://{host}.test"),
            gateway=known("edge/entry"),
            object_store_url=known("http://s3.test"),
            entry_namespaces=known(["gateway", "istio-system"]),
            namespaces=known(["gateway"]),
            images={"training": "training@sha256:0"},
            kubeconfig=known("{}"),
            cluster=known("uid"),
            pools=pools.PLACED,
        )
        handle = PlatformHandle(provider=kubernetes.Provider("cluster", kubeconfig="{}"), outputs=outputs)
        served = {"iris": {"model": {"name": "iris", "version": 3}, **serving}}
        work = Workloads("workloads", handle, WorkloadsSettings.model_validate({"serving": served}), {})
        pulumi.export("prediction_urls", work.prediction_urls)
        pulumi.export("canary_urls", work.canary_urls)

    return recorder.record(program)
