"""A served model: a KServe InferenceService of one registered version.

The version is named, never an alias: what is served is what the declaration says. Its URL is known from the start and
resolves for others when the version that was asked for answers.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component, after
from ml_platform.objects import KubernetesObject

from ml_workloads.rollout import Rollout
from ml_workloads.settings import ServingSettings
from ml_workloads.workspace import MODEL, Workspace

MODEL_LABEL = "ml-platform/model"
AWAIT = {
    # Waited for by the Rollout, which knows which version was asked for.
    "pulumi.com/skipAwait": "true",
    # Its pods let requests finish for half a minute; nothing has to wait for that.
    "pulumi.com/deletionPropagationPolicy": "background",
}


@dataclass(frozen=True, kw_only=True)
class InferenceServiceArgs:
    workspace: Workspace
    version: pulumi.Input[str]
    """The registered version to serve."""
    settings: ServingSettings


class InferenceService(Component):
    token = "ml-platform:workloads:InferenceService"  # noqa: S105 - a type token

    url: pulumi.Output[str]
    """POST there by the v2 protocol."""

    def __init__(self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        workspace, platform = args.workspace, args.workspace.platform
        # The registry, where the version is downloaded from, is waited for, though its address is not in the URI.
        known = pulumi.Output.all(args.version, platform.mlflow_url)
        uri = known.apply(lambda values: f"mlflow://{args.settings.model.name}/{values[0]}")
        service = KubernetesObject(name, self._manifest(uri), self.child(depends_on=workspace.ready))
        rollout = Rollout(
            name,
            kubeconfig=platform.kubeconfig,
            namespace=workspace.name,
            service=name,
            uri=uri,
            settings=pods.digest(args.settings.model_dump(mode="json")),
            timeout=args.settings.timeout,
            opts=self.child(depends_on=[service]),
        )
        host = platform.url(f"{name}-predictor.{workspace.name}")
        self.url = after(f"{host}/v2/models/{args.settings.model.name}/infer", rollout)
        self.register_outputs({"url": self.url})

    def _manifest(self, uri: pulumi.Output[str]) -> dict[str, Any]:
        settings, workspace = self._args.settings, self._args.workspace
        meta = pods.metadata(self._name, workspace.name, {MODEL_LABEL: settings.model.name, **workspace.labels})
        predictor = {
            "serviceAccountName": MODEL,
            "automountServiceAccountToken": False,
            "minReplicas": settings.min_replicas,
            "maxReplicas": settings.max_replicas,
            "scaleMetric": "concurrency",
            "scaleTarget": settings.concurrency,
            "model": self._model(uri),
        }
        return {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {**meta, "annotations": {**AWAIT, **self._mode()}},
            "spec": {"predictor": predictor},
        }

    def _mode(self) -> dict[str, pulumi.Input[str]]:
        # From the platform, so that the service is declared when it can be accepted.
        return {"serving.kserve.io/deploymentMode": self._args.workspace.platform.serving.apply(str.capitalize)}

    def _model(self, uri: pulumi.Output[str]) -> dict[str, Any]:
        size = self._args.settings.resources
        return {
            "modelFormat": {"name": "mlflow", "version": "3"},
            "protocolVersion": "v2",
            "runtime": "mlserver",
            "storageUri": uri,
            "resources": {
                "requests": {"cpu": size.cpu, "memory": size.memory},
                "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit},
            },
        }
