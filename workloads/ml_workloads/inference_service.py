"""A served model: what is in use, beside it a canary if there is one, and the one route to both.

Versions are named, never an alias: what is served is what the declaration says. Each is an InferenceService of its
own, so that a canary that can't be loaded is nothing to the other; the route is changed when all that it shall lead to
serves, and a canary goes when no request is led to it any more. The URL is the same whatever changes, and known from
the start; it resolves for others when requests are shared as asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from ml_platform.component import Component, after
from ml_platform.configuration import PROJECT
from ml_platform.objects import KubernetesObject

from ml_workloads.newest import Part
from ml_workloads.predictor import Predictor
from ml_workloads.protocol import asked_path
from ml_workloads.rollout import Rollout
from ml_workloads.route import Shared
from ml_workloads.source_settings import SourceSettings
from ml_workloads.sources import Source
from ml_workloads.traffic import Traffic
from ml_workloads.transformer import Transformer
from ml_workloads.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class InferenceServiceArgs:
    workspace: Workspace
    settings: SourceSettings
    source: Source
    """What is in use."""
    canary: Source | None = None
    """What is tried on a part of the requests."""
    transformer: Transformer | None = None
    """What is before and after both."""


class InferenceService(Component):
    token = "ml-platform:workloads:InferenceService"  # noqa: S105 - a type token

    url: pulumi.Output[str]
    """POST there by the protocol of its server."""
    canary_url: pulumi.Output[str] | None
    """Where the canary alone answers, while there is one."""
    v1_url: pulumi.Output[str] | None
    """POST there by protocol v1, where its server speaks that."""
    cluster_url: pulumi.Output[str] | None
    """The same as `url` for pods of the cluster, in serving mode knative."""

    def __init__(self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._platform = args.workspace.platform
        host, canary_host, settled = self._declare()
        asked = after(args.source.asked, *settled)
        self.url = self._url(host, asked)
        self.canary_url = self._url(canary_host, asked) if args.canary else None
        v1 = after(asked_path("v1", args.source.name), *settled)
        self.v1_url = self._url(host, v1) if args.source.speaks_v1 else None
        inside = f"http://{host}.svc.cluster.local"
        routed = self._platform.serving_mode == "knative"
        self.cluster_url = pulumi.Output.concat(inside, asked) if routed else None
        self.register_outputs({"url": self.url, "canary_url": self.canary_url})

    def _declare(self) -> tuple[str, str, list[pulumi.Resource]]:
        """Both sources, the route when all that it leads to serves; its hosts, and the wait until it leads there."""
        name, workspace, canary = self._name, self._args.workspace, self._args.settings.canary
        before = self._args.transformer.declare(self) if self._args.transformer else []
        rollouts = self._predictor(name, self._args.source).declare(self, depends_on=before)
        shares = {name: 100}
        if canary and self._args.canary:
            tried = f"{name}-canary"
            rollouts += self._predictor(tried, self._args.canary, "canary.").declare(self, depends_on=before)
            shares = {name: 100 - canary.percent, tried: canary.percent}
        route, settled = Shared(name, workspace, shares, self._part), list[pulumi.Resource]()
        for part, manifest in route.manifests().items():
            declared = KubernetesObject(f"{part}-route", manifest, self.child(depends_on=rollouts))
            settled.append(self._traffic(part, shares, rollouts, declared))
        return route.host, route.canary_host, settled

    def _predictor(self, name: str, source: Source, below: str = "") -> Predictor:
        setting = f"{PROJECT}:workloads.serving.{self._name}.{below}{self._args.settings.varies}"
        args = self._args
        return Predictor(
            name=name, workspace=args.workspace, source=source, transformer=args.transformer, setting=setting
        )

    @property
    def _part(self) -> Part:
        """What requests are led to."""
        return "transformer" if self._args.transformer else "predictor"

    def _traffic(
        self,
        name: str,
        shares: pulumi.Input[Mapping[str, int]],
        rollouts: Sequence[Rollout],
        *routes: pulumi.Resource,
    ) -> Traffic:
        return Traffic(
            name,
            kubeconfig=self._platform.kubeconfig,
            namespace=self._args.workspace.name,
            mode=self._platform.serving_mode,
            part=self._part,
            shares=shares,
            served=[rollout.revision for rollout in rollouts],
            timeout=self._args.settings.timeout,
            opts=self.child(depends_on=[*rollouts, *routes]),
        )

    def _url(self, host: str, path: pulumi.Output[str]) -> pulumi.Output[str]:
        return pulumi.Output.concat(self._platform.url(host), path)
