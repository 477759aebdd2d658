"""The moment when an InferenceService serves what its declaration asks for.

`Ready` alone says that some pods answer, maybe those from before. This waits until the newest ones hold the version
that was asked for, are the ready ones, and their model server says that the model is ready; all by the Kubernetes API.
"""

import time
from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.handle import ServingMode
from ml_platform.kube import Client, KubeError, NotFound, Object

from ml_workloads.awaited import Awaited, AwaitedProvider, last_lines
from ml_workloads.newest import Asked, newest_of

POLL = 0.5
MODEL_LINES = 40
"""A model server that could not load its model has more to say after that than before."""
SERVING, SERVICE = "serving.kserve.io/v1beta1", "InferenceService"


class RolloutError(Exception):
    """What was asked for is not served; the message has the controller's reason and the last log lines."""


class Rollout(Awaited, module="workloads", name="Rollout"):
    """Created or updated when `service` serves `uri` with its present settings, of which `settings` is a digest; what
    decides the version in `uri` is the key `setting` of the stack's configuration."""

    revision: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        mode: ServingMode,
        namespace: str,
        service: str,
        model: str,
        uri: pulumi.Input[str],
        settings: str,
        setting: str,
        timeout: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "mode": mode,
            "namespace": namespace,
            "service": service,
            "model": model,
            "uri": uri,
            "settings": settings,
            "setting": setting,
            "timeout": timeout,
        }
        super().__init__(_Provider(), name, kubeconfig, inputs, ["revision"], opts)


class _Provider(AwaitedProvider):
    identity = ("namespace", "service")
    reasons = ("mode", "uri", "settings")

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        asked = Asked(uri=props["uri"], settings=props["settings"])
        end = time.monotonic() + float(props["timeout"])
        while True:
            found = _present(client, props["service"], props["namespace"])
            newest = newest_of(props["mode"], client, found, asked)
            if newest.ready and answers(client, props["namespace"], newest.address, props["model"]):
                return {"revision": newest.name}
            failure = newest.failure
            if failure or time.monotonic() > end:
                reason = failure or f"not ready after {props['timeout']:.0f} s: {_pending(found)}"
                raise RolloutError(_complaint(client, props, reason, newest.pods))
            time.sleep(POLL)


def _present(client: Client, service: str, namespace: str) -> Object:
    try:
        return client.get(SERVING, SERVICE, service, namespace)
    except NotFound as gone:
        raise RolloutError(
            f"InferenceService {namespace}/{service} is not there: somebody has deleted it. `pulumi up --refresh` "
            "makes it again."
        ) from gone


def ready_path(model: str) -> str:
    """Where a model server says whether this model is ready."""
    return f"/v2/models/{model}/ready"


def answers(client: Client, namespace: str, address: str, model: str) -> bool:
    """Whether the model server behind a service answers that its model is ready, asked by way of the API server."""
    try:
        path = f"/api/v1/namespaces/{namespace}/services/{address}/proxy{ready_path(model)}"
        client.request("GET", path, timeout=5)
    except KubeError:
        return False
    return True


def _pending(service: Object) -> str:
    conditions = service.get("status", {}).get("conditions") or []
    waiting = [
        f"{each['type']}: {each.get('message') or each.get('reason', '')}"
        for each in conditions
        if each["status"] != "True"
    ]
    return "; ".join(waiting) or "unknown"


def _complaint(client: Client, props: Mapping[str, Any], reason: str, pods: list[Object]) -> str:
    namespace, service = props["namespace"], props["service"]
    said = last_lines(client, namespace, pods, "kserve-container", "storage-initializer", lines=MODEL_LINES)
    return (
        f"InferenceService {namespace}/{service} does not serve {props['uri']}: {reason}\n"
        f"{said or f'No pod of it left a log; see `kubectl -n {namespace} get pods,events`.'}\n"
        f"What answered before goes on answering. {_way_out(props['setting'])}"
    )


def _way_out(setting: str) -> str:
    block = setting.rpartition(".")[0]
    another = f"Choose another version with:\n  pulumi config set --path '{setting}' <version>"
    drop = f"\nor drop the canary with:\n  pulumi config rm --path '{block}'"
    return another + (drop if block.endswith(".canary") else "")
