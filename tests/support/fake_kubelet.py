"""The part of a node that the controllers wait for: pods are bound to it and become what their label `fake` says.

`ready`, `fail`, `succeed` or `stuck` (an image that cannot be pulled); without the label a pod stays as it is.
A pod that is to go goes at once.
"""

import threading
from contextlib import suppress
from typing import Any

from ml_platform.kube import Client, KubeError

PERIOD_SECONDS = 0.1
LABEL = "fake"
NODE = "fake-node"


class FakeKubelet:
    """Use as a context manager."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "FakeKubelet":
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        self._client.create(node, field_manager="fake")
        self._client.patch("v1", "Node", NODE, None, {"spec": {"taints": None}})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._over.wait(PERIOD_SECONDS):
            try:
                pods = self._client.list("v1", "Pod")
            except KubeError:
                continue
            for pod in pods:
                with suppress(KubeError):  # the next round sees what is left
                    self._serve(pod)

    def _serve(self, pod: dict[str, Any]) -> None:
        metadata = pod["metadata"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        if metadata.get("deletionTimestamp"):
            self._client.request("DELETE", path, body={"gracePeriodSeconds": 0})
            return
        wanted = _STATUS.get(metadata.get("labels", {}).get(LABEL, ""))
        if wanted is None or pod["status"].get("containerStatuses"):
            return
        if not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            self._client.request("POST", f"{path}/binding", body={**_BINDING, "metadata": metadata, "target": target})
        name = pod["spec"]["containers"][0]["name"]
        container = {"name": name, "image": "x", "imageID": "", "restartCount": 0, **wanted["container"]}
        status = {
            "phase": wanted["phase"],
            "podIP": "10.97.1.1",
            "podIPs": [{"ip": "10.97.1.1"}],
            "conditions": _conditions(wanted["container"]["ready"]),
            "containerStatuses": [container],
        }
        headers = {"Content-Type": "application/merge-patch+json"}
        self._client.request("PATCH", f"{path}/status", body={"status": status}, headers=headers)


def _conditions(ready: bool) -> list[dict[str, str]]:
    """Those of a pod whose containers were started."""
    started = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized")]
    told = {"status": "True"} if ready else {"status": "False", "reason": "ContainersNotReady"}
    return [*started, *({"type": kind, **told} for kind in ("Ready", "ContainersReady"))]


_BINDING = {"apiVersion": "v1", "kind": "Binding"}
_STATUS: dict[str, dict[str, Any]] = {
    "ready": {"phase": "Running", "container": {"ready": True, "state": {"running": {}}}},
    "fail": {
        "phase": "Failed",
        "container": {"ready": False, "state": {"terminated": {"exitCode": 7, "reason": "Error"}}},
    },
    "succeed": {"phase": "Succeeded", "container": {"ready": False, "state": {"terminated": {"exitCode": 0}}}},
    "stuck": {
        "phase": "Pending",
        "container": {
            "ready": False,
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
        },
    },
}
