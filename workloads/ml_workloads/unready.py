"""Why a server of a user's own is not ready: what it says where it is asked, by way of the API server."""

from collections.abc import Mapping, Sequence
from typing import Any

from ml_platform.kube import Client, KubeError, Object

UNREACHED = "error trying to reach service"
"""What the API server says where nothing took its connection."""
NOT_FOUND = 404


def why(client: Client, pods: Sequence[Object], ready: str, listens: Mapping[str, Any], block: str) -> str | None:
    """A sentence with the setting to change, of the first pod that runs. `listens` has the port, and the paths of
    `others`, by their protocols; `block` is the key of its settings."""
    for pod in pods:
        if _runs(pod):
            return _sentence(client, pod, ready, listens, block)
    return None


def _sentence(client: Client, pod: Object, ready: str, listens: Mapping[str, Any], block: str) -> str | None:
    name, port = pod["metadata"]["name"], int(listens["port"])  # the engine knows no whole numbers
    said = _answer(client, pod, port, ready)
    if said is None:
        return None
    if UNREACHED in said.message:
        return (
            f"Nothing listens at port {port} of pod {name}. Have the server listen there at all addresses, 0.0.0.0, "
            f"or say where it does with:\n  pulumi config set --path '{block}.port' <port>"
        )
    for protocol, path in listens["others"].items():
        if _answer(client, pod, port, path) is None:
            return (
                f"Its server answers {said.status} at {ready}, and is ready at {path}: it speaks protocol {protocol}. "
                f"Say so with:\n  pulumi config set --path '{block}.protocol' {protocol}"
            )
    if said.status == NOT_FOUND:
        return (
            f"Its server answers {said.status} at {ready}. Name the path that tells when it is ready with:\n"
            f"  pulumi config set --path '{block}.ready' <path>\nor its own name for the model with:\n"
            f"  pulumi config set --path '{block}.model_name' <name>"
        )
    return (
        f"Its server answers {said.status or 'nothing'} at {ready}. If its start takes longer, allow for it with:\n"
        f"  pulumi config set --path '{block}.timeout' <seconds>"
    )


def _answer(client: Client, pod: Object, port: int, path: str) -> KubeError | None:
    """What is wrong with the server's answer; None if nothing is."""
    meta = pod["metadata"]
    return asked(client, f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}:{port}/proxy{path}")


def asked(client: Client, path: str) -> KubeError | None:
    """What is wrong with the answer at a path of the API server; None if nothing is."""
    try:
        client.request("GET", path, timeout=5)
    except KubeError as refused:
        return refused
    except ValueError:
        return None  # an answer that is no JSON is one all the same
    return None


def _runs(pod: Object) -> bool:
    """Whether the container that is asked does."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return any(each["name"] == "kserve-container" and "running" in each.get("state", {}) for each in statuses)
