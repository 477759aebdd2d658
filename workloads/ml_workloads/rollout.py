"""The moment when an InferenceService serves what its declaration asks for.

`Ready` alone says that some revision answers, maybe the one before. This waits until the newest revision holds the
version that was asked for, is the ready one, and its model server says that the model is ready; all by the Kubernetes
API.
"""

import time
from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.kube import Client, KubeError, NotFound, Object
from pulumi import dynamic

POLL = 0.5
LOG_LINES = 20
SERVING, SERVICE, REVISION = "serving.kserve.io/v1beta1", "InferenceService", "serving.knative.dev/v1"


class RolloutError(Exception):
    """What was asked for is not served; the message has the controller's reason and the last log lines."""


class Rollout(dynamic.Resource, module="workloads", name="Rollout"):
    """Created or updated when `service` serves `uri` with its present settings."""

    revision: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        namespace: str,
        service: str,
        uri: pulumi.Input[str],
        settings: str,
        timeout: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "namespace": namespace,
            "service": service,
            "uri": uri,
            "settings": settings,
            "timeout": timeout,
        }
        super().__init__(_Provider(), name, {**inputs, "revision": None}, opts)


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # it captures nothing

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        keys = ("namespace", "service", "uri", "settings")
        return dynamic.DiffResult(changes=any(olds.get(key) != news.get(key) for key in keys))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_=f"{props['namespace']}/{props['service']}", outs=_served(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(outs=_served(news))


def _served(props: Mapping[str, Any]) -> dict[str, Any]:
    client = Client.from_kubeconfig(props["kubeconfig"])
    namespace, service = props["namespace"], props["service"]
    end = time.monotonic() + float(props["timeout"])
    while True:
        found = client.get(SERVING, SERVICE, service, namespace)
        revision = _revision(client, found, props["uri"])
        if revision and answers(client, namespace, revision):
            return {**props, "revision": revision}
        failure = _failure(found)
        if failure or time.monotonic() > end:
            reason = failure or f"not ready after {props['timeout']:.0f} s: {_pending(found)}"
            newest = found.get("status", {}).get("components", {}).get("predictor", {}).get("latestCreatedRevision", "")
            raise RolloutError(
                f"InferenceService {namespace}/{service} does not serve {props['uri']}: {reason}\n"
                f"{_last_lines(client, namespace, newest)}"
            )
        time.sleep(POLL)


def _revision(client: Client, service: Object, uri: str) -> str | None:
    """The newest revision, if the controller has seen the declaration, it is the ready one and holds `uri`."""
    status, meta = service.get("status") or {}, service["metadata"]
    predictor = status.get("components", {}).get("predictor", {})
    created, ready = predictor.get("latestCreatedRevision"), predictor.get("latestReadyRevision")
    seen = status.get("observedGeneration", meta["generation"]) >= meta["generation"]
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or []}
    if not seen or conditions.get("Ready") != "True" or not ready or created != ready:
        return None
    try:
        annotations = client.get(REVISION, "Revision", ready, meta["namespace"])["metadata"].get("annotations", {})
    except NotFound:
        return None
    key = "internal.serving.kserve.io/storage-initializer-sourceuri"
    return ready if annotations.get(key) == uri else None


def answers(client: Client, namespace: str, revision: str) -> bool:
    """Whether the revision's own service answers that the model server is ready, asked by way of the API server."""
    try:
        path = f"/api/v1/namespaces/{namespace}/services/{revision}-private:http/proxy/v2/health/ready"
        client.request("GET", path, timeout=5)
    except KubeError:
        return False
    return True


def _failure(service: Object) -> str | None:
    model = service.get("status", {}).get("modelStatus", {})
    if model.get("transitionStatus") not in ("BlockedByFailedLoad", "InvalidSpec"):
        return None
    info = model.get("lastFailureInfo", {})
    return f"{model['transitionStatus']}: {info.get('message') or info.get('reason', 'no reason given')}"


def _pending(service: Object) -> str:
    conditions = service.get("status", {}).get("conditions") or []
    waiting = [f"{each['type']}: {each.get('message') or each.get('reason', '')}" for each in conditions]
    return (
        "; ".join(text for text, each in zip(waiting, conditions, strict=True) if each["status"] != "True") or "unknown"
    )


def _last_lines(client: Client, namespace: str, revision: str) -> str:
    pods = client.list("v1", "Pod", namespace, labels=f"serving.knative.dev/revision={revision}") if revision else []
    for pod in pods:
        name = pod["metadata"]["name"]
        for container in ("kserve-container", "storage-initializer"):
            try:
                lines = client.logs(namespace, name, container=container, tail=LOG_LINES).rstrip()
            except KubeError:
                continue
            if lines:
                return f"The last lines of {container} in pod {name}:\n{lines}"
    return f"No pod of it left a log; see `kubectl -n {namespace} get pods,events`."
