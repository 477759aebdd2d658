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

from ml_workloads.newest import SETTINGS
from ml_workloads.rollout import Rollout
from ml_workloads.serving_settings import ServingSettings
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
        self._standard = platform.serving_mode == "standard"
        # The registry, where the version is downloaded from, is waited for, though its address is not in the URI.
        known = pulumi.Output.all(args.version, platform.mlflow_url)
        uri = known.apply(lambda values: f"mlflow://{args.settings.model.name}/{values[0]}")
        # KServe refuses to change the mode of a service.
        anew = {"replacement_trigger": platform.serving_mode, "delete_before_replace": True}
        service = KubernetesObject(name, self._manifest(uri), self.child(depends_on=workspace.ready, **anew))
        rollout = Rollout(
            name,
            kubeconfig=platform.kubeconfig,
            mode=platform.serving_mode,
            namespace=workspace.name,
            service=name,
            uri=uri,
            settings=self._digest(),
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
            **({} if self._standard else {"scaleMetric": "concurrency", "scaleTarget": settings.concurrency}),
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
        mode = self._args.workspace.platform.serving.apply(str.capitalize)
        standard = {"serving.kserve.io/autoscalerClass": self._scaler(), SETTINGS: self._digest()}
        return {"serving.kserve.io/deploymentMode": mode, **(standard if self._standard else {})}

    def _scaler(self) -> str:
        # A HorizontalPodAutoscaler by CPU needs a metrics server; what has a fixed size needs none.
        settings = self._args.settings
        return "hpa" if settings.max_replicas > settings.min_replicas else "none"

    def _digest(self) -> str:
        """Of what new pods are made for: in Knative every setting, in Standard mode what the pods are made of."""
        settings = self._args.settings
        return pods.digest((settings.resources if self._standard else settings).model_dump(mode="json"))

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
