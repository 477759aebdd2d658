"""KServe: InferenceServices, and what turns a registered MLflow model into a server.

It owns the bundle, its configuration, and the runtime and the download of models of the registry. Models, and who may
read which secret for them, belong to the workloads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms import Transform, config_json, environment, pod_annotations
from ml_platform.components.foreign import Foreign
from ml_platform.configuration import Resources

NAMESPACE = "kserve"
MANAGER = "kserve-controller-manager"
CONFIGURATION = "inferenceservice-config"
SIDECARS = ("agent", "batcher", "logger")
SMALL = {"cpuRequest": "50m", "cpuLimit": "1", "memoryRequest": "256Mi", "memoryLimit": "1Gi"}
SMALL_SIDECAR = {"cpuRequest": "10m", "cpuLimit": "1", "memoryRequest": "32Mi", "memoryLimit": "256Mi"}
_SECURITY = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@dataclass(frozen=True, kw_only=True)
class KServeArgs:
    installation: Installation
    mode: str
    """What serves models: knative or standard."""
    domain: str
    """InferenceServices that have a host of their own answer at <name>-predictor.<namespace>.<domain>."""
    ingress: str = "traefik"
    gateway: str = ""
    """<namespace>/<name> of the Gateway to which routes attach in standard mode."""
    scheme: str = "http"
    tracking_uri: pulumi.Input[str]
    """The model registry as pods reach it: where mlflow:// models are downloaded from."""
    after: Sequence[pulumi.Resource] = ()
    over: Sequence[pulumi.Resource] = ()
    """What serves its models: Knative, or the gateway of routes, ready, and there until the last of them is gone."""


class KServe(Foreign):
    token = "ml-platform:serving:KServe"  # noqa: S105 - a type token

    namespace: str

    def __init__(self, name: str, args: KServeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.namespace = NAMESPACE
        self.install(
            name,
            BundleArgs(
                installation=args.installation,
                bundle="kserve",
                transforms=_configuration(args),
                extra=[_runtime(args.installation.images["mlserver"]), _download(args)],
                after=args.after,
                over=args.over,
            ),
        )
        self.register_outputs({"namespace": self.namespace})


def _configuration(args: KServeArgs) -> list[Transform]:
    chosen = {
        "deploy": {"defaultDeploymentMode": args.mode.capitalize()},
        "ingress": {
            # Who of outside gets what is for the routes of the workloads to say.
            "disableIstioVirtualHost": True,
            "domainTemplate": "{{ .Name }}.{{ .Namespace }}.{{ .IngressDomain }}",
            "ingressClassName": args.ingress,
            "ingressDomain": args.domain,
            "urlScheme": args.scheme,
            **({"enableGatewayApi": True, "kserveIngressGateway": args.gateway} if args.mode == "standard" else {}),
        },
        **(_small() if args.installation.size == "small" else {}),
    }
    # The manager reads what to watch at its start.
    restart = pods.restarted_by(pods.digest(chosen))["annotations"]
    return [
        *(config_json(CONFIGURATION, key, fields) for key, fields in chosen.items()),
        pod_annotations("Deployment", MANAGER, restart),
        _unreported,
    ]


def _unreported(item: Object) -> Object:
    """The release has runtimes of its own, of software that reports as well."""
    if item["kind"] != "ClusterServingRuntime":
        return item
    return environment(item["kind"], item["metadata"]["name"], pods.UNREPORTED)(item)


def _small() -> Mapping[str, Any]:
    """What a model and its helpers get that say nothing."""
    return {"inferenceService": {"resource": SMALL}, **dict.fromkeys(SIDECARS, SMALL_SIDECAR)}


def _runtime(image: str) -> Object:
    """MLflow models on MLServer (v2 protocol). The model's name in the path comes from a label of the InferenceService,
    so that two versions behind one route answer to the same path. It has no server type: for those it knows, the
    manager sets the name itself. The model is asked whether it is ready: the server calls itself ready while it has
    none."""
    model = "{{ or (index .Labels `ml-platform/model`) .Name }}"
    server = {
        **pods.UNREPORTED,
        "MLSERVER_MODEL_IMPLEMENTATION": "mlserver_mlflow.MLflowRuntime",
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
            "supportedModelFormats": [{"name": "mlflow", "version": "3", "autoSelect": True, "priority": 1}],
            "protocolVersions": ["v2"],
            "containers": [container],
        },
    }


def _download(args: KServeArgs) -> Object:
    """mlflow://<name>/<version>: the registered version by name, never a path in a bucket."""
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ClusterStorageContainer",
        "metadata": {"name": "mlflow"},
        "spec": {
            "supportedUriFormats": [{"prefix": "mlflow://"}],
            "supportsMultiModelDownload": False,
            "workloadType": "initContainer",
            "container": {
                "name": "storage-initializer",
                "image": args.installation.images["training"],
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", "-m", "ml_runtime.download"],
                "env": pods.variables({**pods.UNREPORTED, "MLFLOW_TRACKING_URI": args.tracking_uri}),
                "resources": pods.resource_sizes(Resources(memory="128Mi", memory_limit="512Mi")),
                "securityContext": _SECURITY,
            },
        },
    }
