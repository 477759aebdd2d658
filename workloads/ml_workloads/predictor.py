"""One thing that answers on KServe: the InferenceService that serves it, and how long that is waited for.

It owns that object, and a budget where it keeps several replicas. What answers is a source's; which of them there are,
and who of outside gets which, belongs to whoever declares it.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.labels import SERVICE
from ml_platform.objects import KubernetesObject

from ml_workloads.newest import MARK, Part
from ml_workloads.rollout import Rollout
from ml_workloads.serving_settings import OF_REQUESTS, SCALE_TARGETS, ScaleMetric, ServingSettings
from ml_workloads.sources import Source
from ml_workloads.transformer import Transformer
from ml_workloads.workspace import Workspace

MODEL_LABEL = "ml-platform/model"
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
    source: Source
    transformer: Transformer | None = None
    setting: str
    """The key of the stack's configuration that decides what the source serves."""

    def declare(self, owner: Component, **options: Any) -> list[Rollout]:
        """Declares it as a child of `owner`; what has to wait until it serves waits for the results, of which the last
        is that of what requests are led to."""
        platform = self.workspace.platform
        mark = self._mark()
        # KServe refuses to change the mode of a service.
        anew = {"replacement_trigger": platform.serving_mode, "delete_before_replace": True}
        waits = [*self.workspace.ready, *options.pop("depends_on", [])]
        service = KubernetesObject(self.name, self._manifest(mark), owner.child(depends_on=waits, **anew, **options))
        if self.settings.min_replicas > 1:
            KubernetesObject(f"{self.name}-budget", self._budget(), owner.child(depends_on=waits))
        serves = self._rollout("predictor", mark, owner.child(depends_on=[service]))
        if self.transformer is None:
            return [serves]
        return [serves, self._rollout("transformer", mark, owner.child(depends_on=[serves]))]

    def _rollout(self, part: Part, mark: pulumi.Output[str], options: pulumi.ResourceOptions) -> Rollout:
        platform = self.workspace.platform
        return Rollout(
            self.name if part == "predictor" else f"{self.name}-{part}",
            kubeconfig=platform.kubeconfig,
            mode=platform.serving_mode,
            namespace=self.workspace.name,
            service=self.name,
            part=part,
            served=self.source.served,
            mark=mark,
            ready=self.source.ready,
            listens=self.source.listens if part == "predictor" else None,
            setting=self.setting,
            timeout=self.settings.timeout,
            opts=options,
        )

    @property
    def settings(self) -> ServingSettings:
        return self.source.settings

    @property
    def _standard(self) -> bool:
        return self.workspace.platform.serving_mode == "standard"

    @property
    def _placed(self) -> pods.Placement:
        return self.workspace.platform.placed(self.settings.pool)

    def _manifest(self, mark: pulumi.Output[str]) -> dict[str, Any]:
        workspace, private = self.workspace, PRIVATE[self.workspace.platform.serving_mode]
        labels = {MODEL_LABEL: self.source.name, **workspace.labels, **private}
        return {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {
                **pods.metadata(self.name, workspace.name, labels),
                "annotations": {**AWAIT, **self._mode(), MARK: mark},
            },
            "spec": {
                "predictor": {**self._account(), **self._placed, **self._scale(), **self.source.predictor()},
                **self._before(),
            },
        }

    def _before(self) -> dict[str, Any]:
        if self.transformer is None:
            return {}
        return {"transformer": {**self._placed, **self._scale(), **self.transformer.part(self.source)}}

    def _budget(self) -> dict[str, Any]:
        """Of several replicas, a drain of nodes takes one at a time."""
        metadata = pods.metadata(self.name, self.workspace.name, self.workspace.labels)
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": {SERVICE: self.name}}}
        return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}

    def _account(self) -> dict[str, Any]:
        return {"serviceAccountName": self.source.account, "automountServiceAccountToken": False}

    def _mode(self) -> dict[str, pulumi.Input[str]]:
        # From the platform, so that the service is declared when it can be accepted.
        mode = self.workspace.platform.serving.apply(str.capitalize)
        standard = {"serving.kserve.io/autoscalerClass": self._scaler()}
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

    def _mark(self) -> pulumi.Output[str]:
        """That of the pods: another one wants new ones. In Knative every setting does, in Standard mode what the pods
        are made of."""
        before = [self.transformer.part(self.source)] if self.transformer else []
        plain = [{**self.source.server(), **self._placed}, *before, *([] if self._standard else [self._scale()])]
        found = pulumi.Output.all(self.source.served, *self.source.read)
        return found.apply(lambda changing: pods.digest(*changing, *plain))
