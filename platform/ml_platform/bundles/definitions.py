"""The CRDs of a bundle as one Pulumi resource.

One by one through the engine they cost seconds and megabytes each. Here the engine keeps their names and a digest; the
provider reads them from the catalog again and applies them itself. The state holds no manifest.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
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
from ml_platform.kube import Client, KubeError

API_VERSION = "apiextensions.k8s.io/v1"
KIND = "CustomResourceDefinition"
FIELD_MANAGER = "ml-platform"
DIGEST = "ml-platform/digest"
DEADLINE = 120.0  # an API server takes seconds for a large one, and more when it is busy


class Definitions(dynamic.Resource, module="bundles", name="Definitions"):
    """The CRDs of one bundle, established. They are deleted where `retain` is false, and in any case those that convert
    by a webhook: without their controller, no object of them could be read.

    `own` are those that the operator applies itself: nothing is declared of them, but they go with the others."""

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
            "mirror": str(mirror or ""),  # None is not kept
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
        """Those that are there: an update that was cut short leaves a state that knows more, or other CRDs."""
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
            _remove(client, converting(client, names) if props["retain"] else names, props["bundle"])


def _install(client: Client, props: Mapping[str, Any]) -> None:
    """Applies the CRDs and waits until each is served."""
    entry = catalog.entry(props["bundle"], props["version"])
    definitions = [item for item in load(entry, _mirror(props)) if item["kind"] == KIND]
    if digest(definitions) != props["digest"]:
        raise BundleError(f"The CRDs of bundle {entry.title} changed while the update ran: run it again.")
    stamp = labelled(props["labels"])
    for item in definitions:  # the API server works for one at a time, whatever it is asked
        marked = with_metadata(stamp(item), "annotations", {DIGEST: props["digest"]})
        _apply(client, marked, entry.title)
    await_established(client, props["names"], entry.title)


def _client(props: Mapping[str, Any]) -> AbstractContextManager[Client]:
    what = f"for the CRDs of bundle {props['bundle']}"
    return asked(props["kubeconfig"], what, timeout=DEADLINE, patience=DEADLINE)


def _mirror(props: Mapping[str, Any]) -> Path | None:
    return Path(props["mirror"]) if props["mirror"] else None


def _digest(client: Client, name: str) -> str | None:
    """That of the CRDs as which this one was applied."""
    found = client.metadata(API_VERSION, KIND, name) or {}
    return (found.get("annotations") or {}).get(DIGEST)


def _apply(client: Client, item: Object, title: str) -> None:
    """By server-side apply: the largest do not fit into the annotation that a client-side one leaves."""
    try:
        client.apply(item, field_manager=FIELD_MANAGER, force=True)
    except KubeError as error:
        if error.passes:
            raise
        name = item["metadata"]["name"]
        raise BundleError(f"The cluster refuses {KIND} {name} of bundle {title}: {error.message}") from error


def _remove(client: Client, names: Sequence[str], bundle: str) -> None:
    each(partial(client.delete, API_VERSION, KIND), names)
    left = _wait(lambda names: _gone(client, names), names)
    if left:
        raise BundleError(
            f"After {DEADLINE:.0f} s CRDs of bundle {bundle} are not gone; objects of them remain: {', '.join(left)}."
        )


def _gone(client: Client, names: Sequence[str]) -> set[str]:
    still = served(client, names)
    return {name for name in names if name not in still and client.metadata(API_VERSION, KIND, name) is None}


def await_established(client: Client, names: Sequence[str], title: str) -> None:
    """What is served is established."""
    left = _wait(lambda names: served(client, names), names)
    if left:
        said = "; ".join(f"{name} ({_conditions(client, name)})" for name in left)
        raise BundleError(f"After {DEADLINE:.0f} s CRDs of bundle {title} are not established: {said}.")


def _wait(done: Callable[[Sequence[str]], Collection[str]], names: Sequence[str]) -> Sequence[str]:
    """What is not done in time."""
    end = time.monotonic() + DEADLINE
    while names:
        finished = done(names)
        names = [name for name in names if name not in finished]
        if time.monotonic() > end:
            break
        if names:
            time.sleep(0.3)
    return names


def _conditions(client: Client, name: str) -> str:
    item = client.find(API_VERSION, KIND, name)
    if item is None:
        return "absent"
    conditions = item.get("status", {}).get("conditions") or []
    return ", ".join(f"{one['type']}={one['status']} {one.get('message', '')}".rstrip() for one in conditions)


def converting(client: Client, names: Sequence[str]) -> list[str]:
    """Those of the CRDs whose objects are read through a webhook."""
    found = each(lambda name: client.find(API_VERSION, KIND, name), names)
    conversions = [((item or {}).get("spec", {}).get("conversion") or {}).get("strategy") for item in found]
    return [name for name, strategy in zip(names, conversions, strict=True) if strategy == "Webhook"]
