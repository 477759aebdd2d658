"""After a `pulumi up` that was killed: the state, the program and the cluster agree again.

The engine writes into its state what it is about to do and forgets it when it is done. Where such notes are left, this
module makes resources of the objects that the engine began to create and did not come to know, waits for what is on its
way out, and has the next update look at everything first; after that update it removes what carries the stack's label
and is unknown to its state. Owns neither the running of Pulumi nor what a resource means.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from ml_platform import labels
from ml_platform.bundles.parallel import each
from ml_platform.kube import Client, NotFound

from ml_local.console import Say
from ml_local.errors import LocalError
from ml_local.private import write_private

Deployment = dict[str, Any]
Resource = dict[str, Any]
Object = dict[str, Any]
Pulumi = Callable[..., object]
Find = Callable[[Object], "Object | None"]

# Who writes what a stack declares: the plugin, and the resources that apply CRDs themselves.
MANAGERS = ("pulumi-kubernetes", "pulumi-resource-kubernetes", "ml-platform")
DEADLINE = 180.0
METADATA = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
DEFINITIONS = "apiextensions.k8s.io", "CustomResourceDefinition"


@dataclass(frozen=True, order=True)
class Key:
    """An object, however its kind is versioned."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Found:
    """An object of the stack in the cluster: where it is, and its metadata."""

    key: Key
    path: str
    metadata: Mapping[str, Any]

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out."""
        return "deletionTimestamp" in self.metadata

    @property
    def rank(self) -> int:
        """When it may go: workloads and their like, what has no namespace, namespaces, kinds."""
        if (self.key.group, self.key.kind) == DEFINITIONS:
            return 3
        return 2 if self.key.kind == "Namespace" else 0 if self.key.namespace else 1


def unsettled(deployment: Deployment) -> bool:
    """Whether an update began something that it did not end: a step, or the replacement of an object."""
    return bool(deployment.get("pending_operations")) or any(map(_is_superseded, deployment.get("resources") or []))


def settle(pulumi: Pulumi, client: Client, stack: str, folder: Path, say: Say) -> None:
    """Make the state such that an update with `--refresh` goes on from what is there.

    Raises:
        LocalError: what is on its way out does not go.
    """
    say("waiting for what is being removed")
    _until_gone(client, stack, lambda found: found.leaving)
    exported = folder / "stack.json"
    try:
        pulumi("stack", "export", "--stack", stack, "--file", str(exported))
        content = json.loads(exported.read_text())
        content["deployment"] = settled(content["deployment"], partial(_find, client))
        write_private(exported, json.dumps(content))
        pulumi("stack", "import", "--stack", stack, "--file", str(exported))
    finally:
        exported.unlink(missing_ok=True)


def settled(deployment: Deployment, find: Find) -> Deployment:
    """The deployment without notes: what was being created is a resource where `find` has its object, and what was
    replaced is forgotten, unless nothing has taken its place. The program may want the object of a forgotten one again;
    else it is removed as unknown."""
    resources = [each for each in deployment.get("resources") or [] if not _is_superseded(each)]
    for operation in deployment.get("pending_operations") or []:
        begun = operation["resource"]
        if operation["type"] == "creating" and _is_object(begun) and (live := find(begun["inputs"])):
            _put(_created(begun, live), resources)
    for superseded in filter(_is_superseded, deployment.get("resources") or []):
        if all(known["urn"] != superseded["urn"] for known in resources):
            _put({key: value for key, value in superseded.items() if key != "delete"}, resources)
    return {**{key: value for key, value in deployment.items() if key != "pending_operations"}, "resources": resources}


def prune(deployment: Deployment, client: Client, stack: str) -> list[Key]:
    """Remove the objects of the stack that its state does not know; which they were.

    Raises:
        LocalError: one of them does not go.
    """
    known = _known(deployment.get("resources") or [])
    unknown = sorted((one for one in _of_stack(client, stack) if one.key not in known), key=lambda one: one.rank)
    for _, group in groupby(unknown, key=lambda one: one.rank):
        _remove(client, stack, list(group))
    return [one.key for one in unknown]


def _is_object(resource: Resource) -> bool:
    return bool(resource.get("custom")) and resource["type"].startswith("kubernetes:")


def _is_superseded(resource: Resource) -> bool:
    """Whether it waits for its deletion behind the one that took its place."""
    return bool(resource.get("delete")) and _is_object(resource)


def _put(resource: Resource, resources: list[Resource]) -> None:
    """In the place of the one that has its URN, else before the first that refers to it: a state is in the order of
    what depends on what."""
    urn = resource["urn"]
    if (place := _first(resources, lambda known: known["urn"] == urn)) is not None:
        resources[place] = resource
    else:
        place = _first(resources, lambda known: urn in _references(known))
        resources.insert(len(resources) if place is None else place, resource)


def _first(resources: Sequence[Resource], which: Callable[[Resource], bool]) -> int | None:
    return next((at for at, known in enumerate(resources) if which(known)), None)


def _references(resource: Resource) -> set[str]:
    """The URNs that it refers to."""
    of_inputs = (resource.get("propertyDependencies") or {}).values()
    others = (resource.get(key) or "" for key in ("parent", "deletedWith"))
    return {*(resource.get("dependencies") or []), *(urn for urns in of_inputs for urn in urns or []), *others}


def _created(begun: Resource, live: Object) -> Resource:
    """As the plugin would have left it; the refresh reads the rest."""
    inputs, metadata = begun["inputs"], live["metadata"]
    applied = [
        entry["manager"]
        for entry in sorted(metadata.get("managedFields") or [], key=lambda entry: str(entry.get("time")))
        if entry["operation"] == "Apply" and entry["manager"].startswith(MANAGERS)
    ]
    manager = {"__fieldManager": applied[-1]} if applied else {}
    outputs = {**inputs, "__inputs": inputs, "__initialApiVersion": inputs["apiVersion"], **manager}
    name = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
    return {**begun, "id": name, "outputs": outputs}


def _find(client: Client, inputs: Object) -> Object | None:
    metadata = inputs["metadata"]
    found = client.find(inputs["apiVersion"], inputs["kind"], metadata["name"], metadata.get("namespace"))
    return found if found and _is_ours(found["metadata"]) else None


def _known(resources: Iterable[Resource]) -> Collection[Key]:
    known: set[Key] = set()
    for resource in resources:
        if _is_object(resource):
            version, _, kind = resource["type"].removeprefix("kubernetes:").partition(":")
            namespace, _, name = resource["id"].rpartition("/")
            group = version.rpartition("/")[0].removesuffix("core")
            known.add(Key(group, kind.removesuffix("Patch"), namespace, name))
        elif resource["type"].endswith(":Definitions"):
            outputs = resource["outputs"]
            known |= {Key(*DEFINITIONS, "", name) for name in (*outputs["names"], *outputs["own"])}
    return known


def _of_stack(client: Client, stack: str) -> list[Found]:
    """What the stack declared, whoever remembers it; without what controllers made of that."""
    listed = each(lambda kind: list(_listed(client, *kind, stack)), _kinds(client))
    return [found for one in listed for found in one if _is_ours(found.metadata)]


def _is_ours(metadata: Mapping[str, Any]) -> bool:
    writers = (str(entry.get("manager")) for entry in metadata.get("managedFields") or [])
    return any(writer.startswith(MANAGERS) for writer in writers) and not metadata.get("ownerReferences")


def _kinds(client: Client) -> list[tuple[str, str, str]]:
    """(group, kind, path of all its objects) of each kind that can be listed and deleted, in the first version that has
    it: the one that a group prefers need not have all."""
    groups = client.request("GET", "/apis")["groups"]
    versions = [version["groupVersion"] for group in groups for version in group["versions"]]
    roots = ["/api/v1", *(f"/apis/{version}" for version in versions)]
    paths: dict[tuple[str, str], str] = {}
    for root, served in zip(roots, each(partial(_served, client), roots), strict=True):
        group = root.split("/")[2] if root.startswith("/apis/") else ""
        for kind in served:
            if {"list", "delete"} <= set(kind["verbs"]) and "/" not in kind["name"]:
                paths.setdefault((group, kind["kind"]), f"{root}/{kind['name']}")
    return [(*names, path) for names, path in paths.items()]


def _served(client: Client, root: str) -> list[Object]:
    try:
        return list(client.request("GET", root)["resources"])
    except NotFound:  # the last kind of a group went
        return []


def _listed(client: Client, group: str, kind: str, path: str, stack: str) -> Iterator[Found]:
    root, _, plural = path.rpartition("/")
    try:
        page = client.request("GET", path, params={"labelSelector": f"{labels.STACK}={stack}"}, headers=METADATA)
    except NotFound:  # a kind that goes
        return
    for item in page["items"] or []:
        metadata = item["metadata"]
        namespace = metadata.get("namespace", "")
        within = f"/namespaces/{namespace}" if namespace else ""
        yield Found(
            Key(group, kind, namespace, metadata["name"]), f"{root}{within}/{plural}/{metadata['name']}", metadata
        )


def _remove(client: Client, stack: str, going: Sequence[Found]) -> None:
    each(partial(_delete, client), going)
    keys = {one.key for one in going}
    _until_gone(client, stack, lambda found: found.key in keys)


def _delete(client: Client, found: Found) -> None:
    try:
        client.request("DELETE", found.path, body={"propagationPolicy": "Foreground"})
    except NotFound:
        return


def _until_gone(client: Client, stack: str, which: Callable[[Found], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while left := [found for found in _of_stack(client, stack) if which(found)]:
        if time.monotonic() > end:
            said = "; ".join(f"{one.key} (finalizers: {_finalizers(one)})" for one in left[:5])
            raise LocalError(
                f"after {DEADLINE:.0f} s these objects are still being removed: {said}. What removes their finalizers "
                "has to run: `make status` says what does not. Mend that, or take the finalizers away with "
                "`kubectl patch`, then `make up` again"
            )
        time.sleep(0.5)


def _finalizers(found: Found) -> str:
    return ", ".join(found.metadata.get("finalizers") or ["none"])
