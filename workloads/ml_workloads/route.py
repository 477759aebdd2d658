"""The one route to a served model: which share of the requests each of its InferenceServices answers.

Plain manifests. In serving mode knative it is a Route over their Configurations, so that each goes on to its own newest
revision when that is ready; in serving mode standard an HTTPRoute over their Services.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ml_platform import pods

from ml_workloads.newest import Part
from ml_workloads.predictor import AWAIT
from ml_workloads.workspace import Workspace

ROUTE, HTTP_ROUTE = "serving.knative.dev/v1", "gateway.networking.k8s.io/v1"
CANARY = "canary"


@dataclass(frozen=True)
class Shared:
    """A name on the gateway, and the percent of its requests that each InferenceService gets."""

    name: str
    workspace: Workspace
    shares: Mapping[str, int]
    part: Part
    """Of each, what requests are led to."""

    @property
    def host(self) -> str:
        """Its place on the gateway, which completes it."""
        return f"{self.name}.{self.workspace.name}"

    @property
    def canary_host(self) -> str:
        """Where the canary alone answers."""
        return f"{CANARY}-{self.host}"

    def manifests(self) -> dict[str, dict[str, Any]]:
        """By name."""
        if self.workspace.platform.serving_mode == "knative":
            return {self.name: self._knative()}
        _, *canary = self.shares
        alone = {f"{CANARY}-{self.name}": self._http(f"{CANARY}-{self.name}", {name: 100}) for name in canary}
        return {self.name: self._http(self.name, self.shares), **alone}

    def _knative(self) -> dict[str, Any]:
        stable = next(iter(self.shares))
        traffic = [
            {
                "configurationName": f"{name}-{self.part}",
                "latestRevision": True,
                "percent": percent,
                **({} if name == stable else {"tag": CANARY}),
            }
            for name, percent in self.shares.items()
        ]
        return {"apiVersion": ROUTE, "kind": "Route", "metadata": self._meta(self.name), "spec": {"traffic": traffic}}

    def _http(self, name: str, shares: Mapping[str, int]) -> dict[str, Any]:
        platform = self.workspace.platform
        backends = [{"name": f"{each}-{self.part}", "port": 80, "weight": share} for each, share in shares.items()]
        return {
            "apiVersion": HTTP_ROUTE,
            "kind": "HTTPRoute",
            "metadata": self._meta(name),
            "spec": {
                "parentRefs": [platform.gateway.apply(_parent)],
                "hostnames": [platform.url(f"{name}.{self.workspace.name}").apply(lambda url: urlsplit(url).hostname)],
                "rules": [{"backendRefs": backends}],
            },
        }

    def _meta(self, name: str) -> dict[str, Any]:
        return {**pods.metadata(name, self.workspace.name, self.workspace.labels), "annotations": AWAIT}


def _parent(gateway: str) -> dict[str, str]:
    namespace, _, name = gateway.partition("/")
    return {"name": name, "namespace": namespace}
