"""What KServe's own split starts from: it knows no version by name, only what it served last to all and what comes.

So a canary by `canaryTrafficPercent` is refused before it is declared where the version in use is not that; on an
empty cluster KServe would give everything to the canary.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.kube import Client, Object

from ml_workloads.awaited import Awaited, AwaitedProvider
from ml_workloads.newest import REVISION, URI
from ml_workloads.rollout import SERVICE, SERVING


class ServedError(Exception):
    """Something else than the version in use is served; the message says what comes first."""


class Served(Awaited, module="workloads", name="Served"):
    """Created or updated when all requests to `service` were answered by `uri` at last, and refused at once if not."""

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        namespace: str,
        service: str,
        uri: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"namespace": namespace, "service": service, "uri": uri}
        super().__init__(_Provider(), name, kubeconfig, inputs, [], opts)


class _Provider(AwaitedProvider):
    identity = ("namespace", "service")
    reasons = ("uri",)

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        service = client.find(SERVING, SERVICE, props["service"], props["namespace"]) or {}
        last = predictor(service).get("latestRolledoutRevision", "")
        found = uri_of(client, last, props["namespace"]) if last else "nothing"
        if found != props["uri"]:
            raise ServedError(
                f"InferenceService {props['namespace']}/{props['service']} can't get a canary by split_by: kserve. It "
                f"splits between what it served last to all, which is {found}, and what comes; the settings want "
                f"{props['uri']} beside that. Run `pulumi up` without `canary` first, or set split_by: route"
            )
        return {}


def predictor(service: Object) -> Mapping[str, Any]:
    """What KServe says of an InferenceService's revisions."""
    found: Mapping[str, Any] = service.get("status", {}).get("components", {}).get("predictor", {})
    return found


def uri_of(client: Client, revision: str, namespace: str) -> str:
    """Where a revision has its model from."""
    found = client.find(REVISION, "Revision", revision, namespace) or {"metadata": {}}
    return str((found["metadata"].get("annotations") or {}).get(URI, "a revision that is gone"))
