"""All objects of a cluster: what a platform left is what is there after it and was not there before, or otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ml_platform.kube import Client, KubeError, Object

T = TypeVar("T", set[str], list[str])

PASSING = ("ComponentStatus", "Event")
OWN = ("ServiceAccount default/default", "Lease.coordination.k8s.io kube-node-lease/")
"""How names begin that the cluster's own controllers and its node make, each at its own time after the start."""


def everything(client: Client) -> set[str]:
    """`<Kind>.<group> <namespace>/<name>` of every object that can be listed, but for events."""
    return {name for name, _ in _objects(client)}


def contents(client: Client) -> dict[str, Object]:
    """The objects by name, without what the node and its controllers write all the time: leases, heartbeats, and which
    claim has a volume."""
    return {
        name: _lasting(name.partition(" ")[0], item) for name, item in _objects(client) if not name.startswith("Lease.")
    }


def differences(client: Client, before: Mapping[str, Object], patience: float = 30.0) -> list[str]:
    """What is gone, new, or otherwise than `before`, when what goes by itself has had the time to go."""
    return _patiently(lambda: _compared(contents(client), before), patience)


def definitions(client: Client, labels: str) -> list[Object]:
    return client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", labels=labels)


def settled(client: Client) -> set[str]:
    """Everything, once what makes itself is there."""
    found: set[str] = set()
    while not all(any(name.startswith(own) for name in found) for own in OWN) or everything(client) != found:
        found = everything(client)
        time.sleep(2)
    return found


def left_over(client: Client, before: set[str], patience: float = 30.0) -> set[str]:
    """What is there beyond `before`, when what goes by itself has had the time to go."""
    return _patiently(lambda: everything(client) - before, patience)


def _patiently(look: Callable[[], T], patience: float) -> T:
    """What is found, as soon as it is nothing or the time is over."""
    end = time.monotonic() + patience
    while True:
        try:
            found = look()
        except KubeError:  # a kind went between being named and being listed
            if time.monotonic() > end:
                raise
        else:
            if not found or time.monotonic() > end:
                return found
        time.sleep(1)


def _compared(found: Mapping[str, Object], before: Mapping[str, Object]) -> list[str]:
    lines = [f"new: {name}" for name in found.keys() - before.keys()]
    lines += [f"gone: {name}" for name in before.keys() - found.keys()]
    same = found.keys() & before.keys()
    return sorted(lines) + [f"{name}: {before[name]} -> {found[name]}" for name in same if found[name] != before[name]]


def _lasting(kind: str, item: Object) -> Object:
    metadata = {
        key: value for key, value in item["metadata"].items() if key not in ("managedFields", "resourceVersion")
    }
    found: dict[str, Any] = {**item, "metadata": metadata}
    if kind in ("Node", "PersistentVolume"):
        del found["status"]
    if kind == "PersistentVolume":
        metadata.pop("annotations", None)
        found["spec"] = {key: value for key, value in item["spec"].items() if key != "claimRef"}
    return found


def labelled(client: Client, labels: str) -> Iterator[tuple[str, Object]]:
    """The objects that the selector matches, by name."""
    return _objects(client, labels)


def _objects(client: Client, labels: str | None = None) -> Iterator[tuple[str, Object]]:
    for kind, path in _kinds(client):
        for item in client.request("GET", path, params={"labelSelector": labels}).get("items") or []:
            yield f"{kind} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}", item


def _kinds(client: Client) -> Iterator[tuple[str, str]]:
    """Each kind with the path of all its objects, in the first version that has it."""
    groups = client.request("GET", "/apis")["groups"]
    versions = [version["groupVersion"] for group in groups for version in group["versions"]]
    seen: set[str] = set()
    for root in ["/api/v1", *(f"/apis/{version}" for version in versions)]:
        group = root.split("/")[2] if root.startswith("/apis/") else ""
        for kind in client.request("GET", root)["resources"]:
            name = f"{kind['kind']}.{group}".rstrip(".")
            if "list" in kind["verbs"] and "/" not in kind["name"] and kind["kind"] not in PASSING and name not in seen:
                seen.add(name)
                yield name, f"{root}/{kind['name']}"
