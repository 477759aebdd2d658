"""All objects of a cluster by name: what a platform left is what is there after it and was not there before."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ml_platform.kube import Client, KubeError

PASSING = ("ComponentStatus", "Event")
OWN = ("ServiceAccount default/default", "Lease.coordination.k8s.io kube-node-lease/")
"""How names begin that the cluster's own controllers and its node make, each at its own time after the start."""


def everything(client: Client) -> set[str]:
    """`<Kind>.<group> <namespace>/<name>` of every object that can be listed, but for events."""
    return {
        f"{kind} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for kind, path in _kinds(client)
        for item in client.request("GET", path).get("items") or []
    }


def settled(client: Client) -> set[str]:
    """Everything, once what makes itself is there."""
    found: set[str] = set()
    while not all(any(name.startswith(own) for name in found) for own in OWN) or everything(client) != found:
        found = everything(client)
        time.sleep(2)
    return found


def left_over(client: Client, before: set[str], patience: float = 30.0) -> set[str]:
    """What is there beyond `before`, when what goes by itself has had the time to go."""
    end = time.monotonic() + patience
    while (found := _beyond(client, before)) and time.monotonic() < end:
        time.sleep(1)
    return found


def _beyond(client: Client, before: set[str]) -> set[str]:
    try:
        return everything(client) - before
    except KubeError as error:  # a kind went between being named and being listed
        return {error.message}


def _kinds(client: Client) -> Iterator[tuple[str, str]]:
    """Each kind with the path of all its objects."""
    groups = client.request("GET", "/apis")["groups"]
    for root in ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]:
        group = root.split("/")[2] if root.startswith("/apis/") else ""
        for kind in client.request("GET", root)["resources"]:
            if "list" in kind["verbs"] and "/" not in kind["name"] and kind["kind"] not in PASSING:
                yield f"{kind['kind']}.{group}".rstrip("."), f"{root}/{kind['name']}"
