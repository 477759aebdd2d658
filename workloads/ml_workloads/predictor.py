"""One version of a model on KServe: the InferenceService that serves it, and how long that is waited for.

It owns that object, and a budget where it keeps several replicas. Which versions there are, and who of outside gets
which, belongs to whoever declares it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject

from ml_workloads.newest import SETTINGS
from ml_workloads.rollout import Rollout, ready_path
from ml_workloads.serving_settings import OF_REQUESTS, SCALE_TARGETS, ProbeSettings, ScaleMetric, ServingSettings
from ml_workloads.workspace import MODEL, Workspace

MODEL_LABEL = "ml-platform/model"
SERVICE_LABEL = "serving.kserve.io/inferenceservice"
"""KServe's own, of all pods of a service."""
PRIVATE = {
    "knative": {"networking.knative.dev/visibility": "cluster-local"},
    "standard": {"networking.kserve.io/visibility": "cluster-local"},
}
"""By serving mode: no route from outside of KServe's own making."""
ALWAYS_DIRECT = "0"
"""Of what Knative's activator holds back for: nothing. While there is a replica, it is then no hop on the way of a
request; where a replica takes so many at once and no more, it has to be, and waits for one that is free."""
AWAIT = {
    # Waited for by another resource, which knows what was asked for.
    "pulumi.com/skipAwait": "true",
    # Its pods let requests finish for half a minute; nothing has to wait for that.
    "pulumi.com/deletionPropagationPolicy": "background",
}


@dataclass(frozen=True, kw_only=True)
class Predictor:
    """One InferenceService of the block whose settings are given."""

    name: str
    workspace: Workspace
    settings: ServingSettings
    image: str | None = None
    """The reference of its model server's image; None is the one of the runtime."""
    version: pulumi.Input[str]
    setting: str
    """The key of the stack's configuration that names the version."""

    def declare(self, owner: Component, **options: Any) -> Rollout:
        """Declares it as a child of `owner`; what has to wait until it serves waits for the result."""
        platform = self.workspace.platform
        # The registry, where the version is downloaded from, is waited for, though its address is not in the URI.
        known = pulumi.Output.all(uri_of(self.settings, self.version), platform.mlflow_url)
        uri = known.apply(lambda values: str(values[0]))
        # KServe refuses to change the mode of a service.
        anew = {"replacement_trigger": platform.serving_mode, "delete_before_replace": True}
        waits = [*self.workspace.ready, *options.pop("depends_on", [])]
        service = KubernetesObject(self.name, self._manifest(uri), owner.child(depends_on=waits, **anew, **options))
        if self.settings.min_replicas > 1:
            KubernetesObject(f"{self.name}-budget", self._budget(), owner.child(depends_on=waits))
        return Rollout(
            self.name,
            kubeconfig=platform.kubeconfig,
            mode=platform.serving_mode,
            namespace=self.workspace.name,
            service=self.name,
            model=self.settings.model,
            uri=uri,
            settings=self._digest(),
            setting=self.setting,
            timeout=self.settings.timeout,
            opts=owner.child(depends_on=[service]),
        )

    @property
    def _standard(self) -> bool:
        return self.workspace.platform.serving_mode == "standard"

    @property
    def _placed(self) -> pods.Placement:
        return self.workspace.platform.placed(self.settings.pool)

    def _manifest(self, uri: pulumi.Output[str]) -> dict[str, Any]:
        workspace, private = self.workspace, PRIVATE[self.workspace.platform.serving_mode]
        labels = {MODEL_LABEL: self.settings.model, **workspace.labels, **private}
        # Each answer says which version it is of.
        version = pods.variables({"MLSERVER_MODEL_VERSION": self.version})
        model = {**self._model(), "storageUri": uri, "env": version}
        return {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {
                **pods.metadata(self.name, workspace.name, labels),
                "annotations": {**AWAIT, **self._mode()},
            },
            "spec": {"predictor": {**self._account(), **self._placed, **self._scale(), "model": model}},
        }

    def _budget(self) -> dict[str, Any]:
        """Of several replicas, a drain of nodes takes one at a time."""
        metadata = pods.metadata(self.name, self.workspace.name, self.workspace.labels)
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": {SERVICE_LABEL: self.name}}}
        return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}

    def _account(self) -> dict[str, Any]:
        return {"serviceAccountName": MODEL, "automountServiceAccountToken": False}

    def _mode(self) -> dict[str, pulumi.Input[str]]:
        # From the platform, so that the service is declared when it can be accepted.
        mode = self.workspace.platform.serving.apply(str.capitalize)
        standard = {"serving.kserve.io/autoscalerClass": self._scaler(), SETTINGS: self._digest()}
        held = bool(self.settings.container_concurrency)
        knative = {} if held else {"autoscaling.knative.dev/target-burst-capacity": ALWAYS_DIRECT}
        return {"serving.kserve.io/deploymentMode": mode, **(standard if self._standard else knative)}

    def _scaler(self) -> str:
        # A HorizontalPodAutoscaler needs a metrics server; what has a fixed size needs none.
        return "hpa" if self.settings.max_replicas > self.settings.min_replicas else "none"

    def _scale(self) -> dict[str, Any]:
        settings = self.settings
        size: dict[str, Any] = {"minReplicas": settings.min_replicas, "maxReplicas": settings.max_replicas}
        if settings.container_concurrency:
            size["containerConcurrency"] = settings.container_concurrency
        if self._standard and self._scaler() == "none":
            return size
        metric: ScaleMetric = settings.scale_metric or ("cpu" if self._standard else OF_REQUESTS[0])
        target = settings.scale_target or min(SCALE_TARGETS[metric], settings.container_concurrency or 100)
        return {**size, "scaleMetric": metric, "scaleTarget": target}

    def _digest(self) -> str:
        """Of what new pods are made for: in Knative every setting, in Standard mode what the pods are made of."""
        return pods.digest({**self._model(), **self._placed}, *([] if self._standard else [self._scale()]))

    def _model(self) -> dict[str, Any]:
        settings = self.settings
        probes = {
            "readinessProbe": _probe(ready_path(settings.model), settings.readiness),
            "livenessProbe": _probe("/v2/health/live", settings.liveness),
        }
        return {
            "modelFormat": {"name": "mlflow", "version": "3"},
            "protocolVersion": "v2",
            "runtime": "mlserver",
            "resources": pods.resource_sizes(settings.resources),
            **({"image": self.image} if self.image else {}),
            **{name: probe for name, probe in probes.items() if probe},
        }


def uri_of(settings: ServingSettings, version: pulumi.Input[str]) -> pulumi.Output[str]:
    """Where KServe has a version from."""
    return pulumi.Output.concat("mlflow://", settings.model, "/", version)


def _probe(path: str, settings: ProbeSettings | None) -> Mapping[str, Any] | None:
    if settings is None:
        return None
    times = {"periodSeconds": settings.period, "timeoutSeconds": settings.timeout}
    return pods.probe(8080, path, **times, failureThreshold=settings.failures)
