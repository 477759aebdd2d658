"""KServe: InferenceServices, and the runtime that serves a registered MLflow model.

This component owns the bundle, its configuration, the ClusterServingRuntime of the platform's own model server and how
models get there. InferenceServices, and the rights to their Secrets, belong to the workloads.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms import Transform, config_json, environment, pod_annotations
from ml_platform.components import mlflow
from ml_platform.components.foreign import Foreign
from ml_platform.components.gateway import Gateway
from ml_platform.configuration import Resources
from ml_platform.handle import KSERVE, KSERVE_MANAGER
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE, MANAGER = KSERVE, KSERVE_MANAGER
CONFIGURATION = "inferenceservice-config"
MLFLOW = {"name": "mlflow", "version": "3", "autoSelect": True, "priority": 1}
FILE_FORMATS = ("sklearn", "xgboost", "lightgbm")
"""What the platform's own model server serves from files, beside MLflow's models."""
SIDECARS = ("agent", "batcher", "logger")
SMALL = {"cpuRequest": "50m", "cpuLimit": "1", "memoryRequest": "256Mi", "memoryLimit": "1Gi"}
SMALL_SIDECAR = {"cpuRequest": "10m", "cpuLimit": "1", "memoryRequest": "32Mi", "memoryLimit": "256Mi"}
_SECURITY = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


class KServe(Foreign):
    token = "ml-platform:serving:KServe"  # noqa: S105 - a type token

    namespace: str

    def __init__(
        self, name: str, site: Site, gateway: Gateway, kinds: Sequence[pulumi.Resource], over: Sequence[pulumi.Resource]
    ) -> None:
        """`kinds` are the CRDs that KServe's manager watches. `over` is what serves the models, Knative or the gateway:
        KServe waits until it is ready, and it stays until the last InferenceService is gone."""
        super().__init__(name, site)
        self.namespace = NAMESPACE
        self.install(
            "kserve",
            name=name,
            transforms=_configuration(site.settings, gateway),
            extra=[_runtime(site.images["mlserver"]), _download(site.images["training"], _fetched(site))],
            after=kinds,
            over=over,
        )
        self.register_outputs({"namespace": self.namespace})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=("kserve",), images=("mlserver", "training"))


def _fetched(site: Site) -> list[str]:
    """The beginnings of the URIs whose files the platform's own image fetches: those of the registry, and those of the
    object store where the release has no storage initializer."""
    released = site.releases.entry("kserve").images
    return ["mlflow://", *([] if "kserve-storage" in released else ["s3://"])]


def _configuration(settings: PlatformSettings, gateway: Gateway) -> list[Transform]:
    by_route = {"enableGatewayApi": True, "kserveIngressGateway": gateway.reference}
    chosen = {
        "deploy": {"defaultDeploymentMode": settings.serving.mode.capitalize()},
        "ingress": {
            # The routes of the workloads say which hosts are reached from outside.
            "disableIstioVirtualHost": True,
            "domainTemplate": "{{ .Name }}.{{ .Namespace }}.{{ .IngressDomain }}",
            "ingressClassName": settings.gateway.ingress,
            # Predictors with a host of their own answer at <name>-predictor.<namespace>.<domain>.
            "ingressDomain": settings.gateway.domain,
            "urlScheme": gateway.url.partition(":")[0],
            **(by_route if settings.serving.mode == "standard" else {}),
        },
        **(_small() if settings.size == "small" else {}),
    }
    # The manager reads its configuration only at its start.
    restart = pods.restarted_by(pods.digest(chosen))["annotations"]
    return [
        *(config_json(CONFIGURATION, key, fields) for key, fields in chosen.items()),
        pod_annotations("Deployment", MANAGER, restart),
        _without_usage_reports,
    ]


def _without_usage_reports(item: Object) -> Object:
    """A transform: the bundle's own ClusterServingRuntimes get the variables that switch off usage reports."""
    if item["kind"] != "ClusterServingRuntime":
        return item
    return environment(item["kind"], item["metadata"]["name"], pods.UNREPORTED)(item)


def _small() -> Mapping[str, Any]:
    """The default resources of small installations: of models, and of their sidecars."""
    return {"inferenceService": {"resource": SMALL}, **dict.fromkeys(SIDECARS, SMALL_SIDECAR)}


def _runtime(image: str) -> Object:
    """The ClusterServingRuntime of MLflow models, and of files of some libraries, on MLServer with the v2 protocol.

    The model's name in the path comes from a label of the InferenceService, so that two versions behind one route
    answer at the same path. The runtime leaves out the server type, since KServe sets the model's name itself for types
    that it knows. The readiness probe asks the model: the server calls itself ready before it has loaded one.
    """
    model = "{{ or (index .Labels `ml-platform/model`) .Name }}"
    server = {
        **pods.UNREPORTED,
        "MLSERVER_MODEL_IMPLEMENTATION": "ml_runtime.served_model.ServedModel",
        "MLSERVER_MODEL_URI": "/mnt/models",
        "MLSERVER_MODEL_NAME": model,
        "MLSERVER_HTTP_PORT": "8080",
        "MLSERVER_GRPC_PORT": "9000",
        "MLSERVER_PARALLEL_WORKERS": "0",
        "MLSERVER_METRICS_DIR": "/tmp",  # noqa: S108 - the container's own
    }
    container = {
        "name": "kserve-container",
        "image": image,
        "env": pods.variables(server),
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "readinessProbe": pods.probe(8080, f"/v2/models/{model}/ready", failureThreshold=120),
        "resources": pods.resource_sizes(Resources()),
        "securityContext": _SECURITY,
    }
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterServingRuntime",
        "metadata": {"name": "mlserver"},
        "spec": {
            "supportedModelFormats": [MLFLOW, *({"name": name} for name in FILE_FORMATS)],
            "protocolVersions": ["v2"],
            "containers": [container],
        },
    }


def _download(image: str, prefixes: Sequence[str]) -> Object:
    """The ClusterStorageContainer for URIs that begin so, such as mlflow://<name>/<version>, a version of the
    registry."""
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterStorageContainer",
        "metadata": {"name": "mlflow"},
        "spec": {
            "supportedUriFormats": [{"prefix": prefix} for prefix in prefixes],
            "supportsMultiModelDownload": False,
            "workloadType": "initContainer",
            "container": {
                "name": "storage-initializer",
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "ml_runtime.download"],
                "env": pods.variables({**pods.UNREPORTED, "MLFLOW_TRACKING_URI": mlflow.URL}),
                "resources": pods.resource_sizes(Resources(memory="128Mi", memory_limit="512Mi")),
                "securityContext": _SECURITY,
            },
        },
    }
