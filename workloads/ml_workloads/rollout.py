"""The moment when an InferenceService serves what its declaration asks for.

`Ready` alone says that some pods answer, maybe those from before. This waits until the newest ones are made for what
was asked for, are the ready ones, and their model server says that it can be asked; all by the Kubernetes API.
"""

import time
from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.handle import ServingMode
from ml_platform.kube import Client, NotFound, Object

from ml_workloads import run_pods, unready
from ml_workloads.awaited import Awaited, AwaitedProvider, last_lines
from ml_workloads.newest import Part, newest_of

POLL = 0.5
MODEL_LINES = 40
"""A model server that could not load its model has more to say after that than before."""
CANARY = ".canary"
SERVING, SERVICE = "serving.kserve.io/v1beta1", "InferenceService"


class RolloutError(Exception):
    """What was asked for is not served; the message has the controller's reason and the last log lines."""


class Rollout(Awaited, module="workloads", name="Rollout"):
    """Created or updated when `part` of `service` serves `served` by pods that carry `mark`; what decides it is the key
    `setting` of the stack's configuration. `listens` is known of servers whose place and protocol are settings too."""

    revision: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        mode: ServingMode,
        namespace: str,
        service: str,
        part: Part,
        served: pulumi.Input[str],
        mark: pulumi.Input[str],
        ready: str,
        listens: Mapping[str, Any] | None,
        setting: str,
        timeout: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "mode": mode,
            "namespace": namespace,
            "service": service,
            "part": part,
            "served": served,
            "mark": mark,
            "ready": ready,
            "listens": listens,
            "setting": setting,
            "timeout": timeout,
        }
        super().__init__(_Provider(), name, kubeconfig, inputs, ["revision"], opts)


class _Provider(AwaitedProvider):
    identity = ("namespace", "service", "part")
    reasons = ("mode", "served", "mark")

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        end = time.monotonic() + float(props["timeout"])
        while True:
            found = _present(client, props["service"], props["namespace"])
            newest = newest_of(props["mode"], client, found, props["part"], props["mark"])
            if newest.ready and answers(client, props["namespace"], newest.address, props["ready"]):
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


def answers(client: Client, namespace: str, address: str, ready: str) -> bool:
    """Whether the model server behind a service answers that it can be asked, by way of the API server."""
    return unready.asked(client, f"/api/v1/namespaces/{namespace}/services/{address}/proxy{ready}") is None


def _pending(service: Object) -> str:
    conditions = service.get("status", {}).get("conditions") or []
    waiting = [
        f"{each['type']}: {each.get('message') or each.get('reason', '')}"
        for each in conditions
        if each["status"] != "True"
    ]
    return "; ".join(waiting) or "unknown"


def _complaint(client: Client, props: Mapping[str, Any], reason: str, pods: list[Object]) -> str:
    namespace, service, setting = props["namespace"], props["service"], props["setting"]
    said = last_lines(client, namespace, pods, "kserve-container", "storage-initializer", lines=MODEL_LINES)
    listens, absent = props.get("listens"), run_pods.without_claim(pods)
    lines = (
        f"InferenceService {namespace}/{service} does not serve {props['served']}: {reason}",
        said or f"No pod of it left a log; see `kubectl -n {namespace} get pods,events`.",
        unready.why(client, pods, props["ready"], listens, _block(setting)) if listens else None,
        f"What answered before goes on answering. {_way_out(_of_files(setting) if absent else setting)}",
    )
    return "\n".join(line for line in lines if line)


def _block(setting: str) -> str:
    """The key of the block of `serving` that this one is in."""
    return setting.rpartition(".")[0].removesuffix(CANARY)


def _of_files(setting: str) -> str:
    """The key that says where the files are, of a block that this one decides for."""
    return f"{_block(setting)}.model_files" if setting.endswith(".image") else setting


def _way_out(setting: str) -> str:
    block, _, key = setting.rpartition(".")
    another = f"Choose another {key} with:\n  pulumi config set --path '{setting}' <{key}>"
    drop = f"\nor drop the canary with:\n  pulumi config rm --path '{block}'"
    return another + (drop if block.endswith(CANARY) else "")
