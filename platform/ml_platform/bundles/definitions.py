"""The CRDs of a bundle as one Pulumi resource.

A resource for each CRD would cost the engine seconds and megabytes each. The state of this one holds the names of the
CRDs and a digest; its provider reads the manifests from the catalog and applies them.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.asking import asked
from ml_platform.bundles import catalog
from ml_platform.bundles.discovery import served
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parallel import each
from ml_platform.bundles.parse import Object
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.provider import Provider
from ml_platform.bundles.transforms import labels as labelled
from ml_platform.bundles.transforms.metadata import with_metadata
from ml_platform.kube import Client, KubeError, NotFound

API_VERSION = "apiextensions.k8s.io/v1"
KIND = "CustomResourceDefinition"
FIELD_MANAGER = "ml-platform"
DIGEST = "ml-platform/digest"
TOUCHED = "ml-platform/touched"
INSIST_AFTER = 8.0
"""Seconds from one touch of a CRD that has not gone to the next."""
DEADLINE = 120.0  # an API server takes seconds for a large CRD, and more when it is busy


class Definitions(dynamic.Resource, module="bundles", name="Definitions"):
    """The CRDs of one bundle, established. Deleting the resource deletes all of them, or with `retain` only those with
    a conversion webhook: without their controller, no object of them could be read.

    `own` are CRDs that the operator applies itself: this resource only deletes them, with the others."""

    names: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        *,
        bundle: str,
        version: str,
        mirror: Path | None,
        definitions: Sequence[Object],
        own: Sequence[str] = (),
        labels: Mapping[str, str],
        retain: bool,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "bundle": bundle,
            "version": version,
            "mirror": str(mirror or ""),  # the engine drops properties that are None
            "digest": digest(definitions),
            "names": sorted(item["metadata"]["name"] for item in definitions),
            "own": list(own),
            "labels": dict(labels),
            "retain": retain,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


def digest(definitions: Iterable[Object]) -> str:
    return hashlib.sha256(json.dumps(list(definitions), sort_keys=True).encode()).hexdigest()


class _Provider(Provider):
    silent = ("mirror",)  # a new kubeconfig is stored by an update: delete() gets the old outputs

    def identity(self, props: dict[str, Any]) -> str:
        return str(props["bundle"])

    def act(self, props: dict[str, Any]) -> None:
        with _client(props) as client:
            _install(client, props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        changed = self.changed(olds, news)
        return dynamic.DiffResult(changes=bool(changed), replaces=["bundle"] if "bundle" in changed else [])

    def found(self, props: dict[str, Any]) -> dict[str, Any] | None:
        """The properties with the CRDs that the cluster serves, and an empty digest if one of them was applied with
        another one. Both differ from the state after an interrupted update."""
        with _client(props) as client:
            found = sorted(served(client, props["names"]))
            as_known = all(each(lambda name: _digest(client, name) == props["digest"], found))
        if props["names"] and not found:
            return None
        return {**props, "names": found, "digest": props["digest"] if as_known else ""}

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        with _client(news) as client:
            _install(client, news)
            if not news["retain"]:
                _remove(client, sorted(set(olds["names"]) - set(news["names"])), news["bundle"])
        return dynamic.UpdateResult(outs=news)

    def remove(self, props: dict[str, Any]) -> None:
        names = [*props["names"], *props["own"]]
        with _client(props) as client:
            _remove(client, with_conversion_webhook(client, names) if props["retain"] else names, props["bundle"])


def _install(client: Client, props: Mapping[str, Any]) -> None:
    """Applies the CRDs and waits until each is served."""
    entry = catalog.entry(props["bundle"], props["version"])
    definitions = [item for item in load(entry, _mirror(props)) if item["kind"] == KIND]
    if digest(definitions) != props["digest"]:
        raise BundleError(f"The CRDs of bundle {entry.title} changed while the update ran: run it again.")
    stamp = labelled(props["labels"])
    for item in definitions:  # one by one: parallel requests gain nothing, the API server handles CRDs in turn
        marked = with_metadata(stamp(item), "annotations", {DIGEST: props["digest"]})
        _apply(client, marked, entry.title)
    await_established(client, props["names"], entry.title)


def _client(props: Mapping[str, Any]) -> AbstractContextManager[Client]:
    what = f"for the CRDs of bundle {props['bundle']}"
    return asked(props["kubeconfig"], what, timeout=DEADLINE, patience=DEADLINE)


def _mirror(props: Mapping[str, Any]) -> Path | None:
    return Path(props["mirror"]) if props["mirror"] else None


def _digest(client: Client, name: str) -> str | None:
    """The digest of the CRDs with which this one was applied."""
    found = client.metadata(API_VERSION, KIND, name) or {}
    return (found.get("annotations") or {}).get(DIGEST)


def _apply(client: Client, item: Object, title: str) -> None:
    """Server-side apply: the largest CRDs do not fit into the annotation that a client-side apply writes."""
    try:
        client.apply(item, field_manager=FIELD_MANAGER, force=True)
    except KubeError as error:
        if error.passes:
            raise
        name = item["metadata"]["name"]
        raise BundleError(f"The cluster refuses {KIND} {name} of bundle {title}: {error.message}") from error


def _remove(client: Client, names: Sequence[str], bundle: str) -> None:
    each(partial(client.delete, API_VERSION, KIND), names)
    left = _wait(lambda names: _gone(client, names), names, partial(_touch, client))
    if left:
        said = "; ".join(f"{name} ({_conditions(client, name)})" for name in left)
        raise BundleError(f"After {DEADLINE:.0f} s CRDs of bundle {bundle} are still served: {said}.")


def _touch(client: Client, name: str) -> None:
    """Has the API server look again at a CRD that goes: when it has failed to empty one, it lets more and more time
    pass before it tries again, and at once where the CRD has changed."""
    mark = {"metadata": {"annotations": {TOUCHED: f"{time.time():.0f}"}}}
    with suppress(NotFound):
        client.patch(API_VERSION, KIND, name, None, mark)


def _gone(client: Client, names: Sequence[str]) -> set[str]:
    still = served(client, names)
    return {name for name in names if name not in still and client.metadata(API_VERSION, KIND, name) is None}


def await_established(client: Client, names: Sequence[str], title: str) -> None:
    """Waits until the cluster serves the CRDs: a CRD that is served is established.

    Raises:
        BundleError: after DEADLINE some are not served.
    """
    left = _wait(lambda names: served(client, names), names)
    if left:
        said = "; ".join(f"{name} ({_conditions(client, name)})" for name in left)
        raise BundleError(f"After {DEADLINE:.0f} s CRDs of bundle {title} are not established: {said}.")


def _wait(
    done: Callable[[Sequence[str]], Collection[str]],
    names: Sequence[str],
    insist: Callable[[str], None] = lambda _: None,
) -> Sequence[str]:
    """Waits until `done` has returned all names; returns those that are left at the deadline. `insist` is called for
    each that is left, now and then."""
    end, again = time.monotonic() + DEADLINE, time.monotonic() + INSIST_AFTER
    while names:
        finished = done(names)
        names = [name for name in names if name not in finished]
        if time.monotonic() > end:
            break
        if time.monotonic() > again:
            again = time.monotonic() + INSIST_AFTER
            each(insist, names)
        if names:
            time.sleep(0.3)
    return names


def _conditions(client: Client, name: str) -> str:
    item = client.find(API_VERSION, KIND, name)
    if item is None:
        return "absent"
    conditions = item.get("status", {}).get("conditions") or []
    return ", ".join(f"{one['type']}={one['status']} {one.get('message', '')}".rstrip() for one in conditions)


def with_conversion_webhook(client: Client, names: Sequence[str]) -> list[str]:
    """The CRDs among `names` that have a conversion webhook."""
    found = each(lambda name: client.find(API_VERSION, KIND, name), names)
    conversions = [((item or {}).get("spec", {}).get("conversion") or {}).get("strategy") for item in found]
    return [name for name, strategy in zip(names, conversions, strict=True) if strategy == "Webhook"]
