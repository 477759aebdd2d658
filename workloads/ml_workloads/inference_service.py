"""A served model: the version in use, beside it a canary if there is one, and the one route to both.

The versions are named, never an alias: what is served is what the declaration says. Each is an InferenceService of its
own, so that a canary that can't be loaded is nothing to the other; the route is changed when all that it shall lead to
serves, and a canary goes when no request is led to it any more. The URL is the same whatever changes, and known from
the start; it resolves for others when requests are shared as asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform.component import Component, after
from ml_platform.configuration import PROJECT
from ml_platform.objects import KubernetesObject

from ml_workloads.predictor import Predictor, uri_of
from ml_workloads.rollout import Rollout
from ml_workloads.route import Shared
from ml_workloads.served import Served
from ml_workloads.serving_settings import ServingSettings
from ml_workloads.traffic import Traffic, Way
from ml_workloads.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class InferenceServiceArgs:
    workspace: Workspace
    version: pulumi.Input[str]
    """The registered version in use."""
    settings: ServingSettings


class InferenceService(Component):
    token = "ml-platform:workloads:InferenceService"  # noqa: S105 - a type token

    url: pulumi.Output[str]
    """POST there by the v2 protocol."""
    canary_url: pulumi.Output[str] | None
    """Where the canary alone answers, while there is one."""

    def __init__(self, name: str, args: InferenceServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._platform = args.workspace.platform
        by = self._by_kserve if args.settings.split_by == "kserve" else self._by_route
        host, canary_host, settled = by()
        self.url = self._url(host, settled)
        self.canary_url = self._url(canary_host, settled) if args.settings.canary else None
        self.register_outputs({"url": self.url, "canary_url": self.canary_url})

    def _by_route(self) -> tuple[str, str, list[pulumi.Resource]]:
        """Both versions, the route when all that it leads to serves; its hosts, and the wait until it leads there."""
        name, workspace, canary = self._name, self._args.workspace, self._args.settings.canary
        rollouts = [self._predictor(name, self._args.version, "model.version").declare(self)]
        shares = {name: 100}
        if canary:
            tried = f"{name}-canary"
            rollouts.append(self._predictor(tried, str(canary.version), "canary.version").declare(self))
            shares = {name: 100 - canary.percent, tried: canary.percent}
        route, settled = Shared(name, workspace, shares), list[pulumi.Resource]()
        for part, manifest in route.manifests().items():
            declared = KubernetesObject(f"{part}-route", manifest, self.child(depends_on=rollouts))
            settled.append(self._traffic(part, workspace.platform.serving_mode, shares, rollouts, declared))
        return route.host, route.canary_host, settled

    def _by_kserve(self) -> tuple[str, str, list[pulumi.Resource]]:
        """The one InferenceService that splits by itself; its hosts, and the wait until it does."""
        name, settings, canary = self._name, self._args.settings, self._args.settings.canary
        stable, host = uri_of(settings, self._args.version), f"{name}-predictor.{self._args.workspace.name}"
        if canary is None:
            plain = self._predictor(name, self._args.version, "model.version", public=True).declare(self)
            shares = stable.apply(lambda uri: {uri: 100})
            return host, "", [self._traffic(name, "kserve", shares, [plain])]
        percent, tried = canary.percent, f"mlflow://{settings.model.name}/{canary.version}"
        before = Served(
            name,
            kubeconfig=self._platform.kubeconfig,
            namespace=self._args.workspace.name,
            service=name,
            uri=stable,
            opts=self.child(depends_on=self._args.workspace.ready),
        )
        both = self._predictor(name, str(canary.version), "canary.version", public=True, percent=percent)
        rollout = both.declare(self, depends_on=[before])
        shares = stable.apply(lambda uri: {uri: 100 - percent, tried: percent})
        return host, f"latest-{host}", [self._traffic(name, "kserve", shares, [rollout])]

    def _predictor(self, name: str, version: pulumi.Input[str], key: str, **more: Any) -> Predictor:
        return Predictor(
            name=name,
            workspace=self._args.workspace,
            settings=self._args.settings,
            version=version,
            setting=f"{PROJECT}:workloads.serving.{self._name}.{key}",
            **more,
        )

    def _traffic(
        self,
        name: str,
        way: Way,
        shares: pulumi.Input[Mapping[str, int]],
        rollouts: Sequence[Rollout],
        *routes: pulumi.Resource,
    ) -> Traffic:
        return Traffic(
            name,
            kubeconfig=self._platform.kubeconfig,
            namespace=self._args.workspace.name,
            way=way,
            shares=shares,
            served=[rollout.revision for rollout in rollouts],
            opts=self.child(depends_on=[*rollouts, *routes]),
        )

    def _url(self, host: str, settled: list[pulumi.Resource]) -> pulumi.Output[str]:
        model = self._args.settings.model.name
        return pulumi.Output.concat(self._platform.url(host), after(f"/v2/models/{model}/infer", *settled))
