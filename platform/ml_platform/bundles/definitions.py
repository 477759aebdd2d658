"""The CRDs of a bundle as one Pulumi resource.

One by one through the engine they cost seconds and megabytes each. Here the engine keeps their names and a digest; the
provider reads them from the catalog again and applies them itself. The state holds no manifest.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.bundles import catalog
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.transforms import labels as labelled
from ml_platform.kube import Client

API_VERSION = "apiextensions.k8s.io/v1"
KIND = "CustomResourceDefinition"
FIELD_MANAGER = "ml-platform"
DEADLINE = 60.0


class Definitions(dynamic.Resource, module="bundles", name="Definitions"):
    """The CRDs of one bundle, established. They are deleted only where `retain` is false."""

    names: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        *,
        bundle: str,
        version: str,
        mirror: Path | None,
        definitions: Sequence[Object],
        labels: Mapping[str, str],
        retain: bool,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "bundle": bundle,
            "version": version,
            "mirror": str(mirror) if mirror else None,
            "digest": digest(definitions),
            "names": sorted(item["metadata"]["name"] for item in definitions),
            "labels": dict(labels),
            "retain": retain,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


def digest(definitions: Iterable[Object]) -> str:
    return hashlib.sha256(json.dumps(list(definitions), sort_keys=True).encode()).hexdigest()


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # it captures nothing

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        # A new kubeconfig is stored by an update: delete() gets the old outputs.
        changed = [key for key in news if key not in ("__provider", "mirror") and olds.get(key) != news[key]]
        replaces = ["bundle"] if "bundle" in changed else []
        return dynamic.DiffResult(changes=bool(changed), replaces=replaces)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        _install(props)
        return dynamic.CreateResult(id_=props["bundle"], outs=props)

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        client = _install(news)
        if not news["retain"]:
            _remove(client, set(olds["names"]) - set(news["names"]))
        return dynamic.UpdateResult(outs=news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        if not props["retain"]:
            _remove(Client.from_kubeconfig(props["kubeconfig"]), props["names"])


def _install(props: Mapping[str, Any]) -> Client:
    """Applies the CRDs and waits until each is served."""
    entry = catalog.entry(props["bundle"], props["version"])
    client = Client.from_kubeconfig(props["kubeconfig"])
    version = client.request("GET", "/version")["gitVersion"]
    if not entry.supports(version):
        raise BundleError(
            f"Bundle {entry.name!r} {entry.version} supports Kubernetes {entry.kubernetes}; this cluster has {version}."
        )
    definitions = [item for item in load(entry, _mirror(props)) if item["kind"] == KIND]
    if digest(definitions) != props["digest"]:
        raise BundleError(f"The CRDs of bundle {entry.name!r} changed while the update ran: run it again.")
    stamp = labelled(props["labels"])
    for item in definitions:
        client.apply(stamp(item), field_manager=FIELD_MANAGER, force=True)
    _wait(client, set(props["names"]), _established, "are not established")
    return client


def _mirror(props: Mapping[str, Any]) -> Path | None:
    return Path(props["mirror"]) if props["mirror"] else None


def _remove(client: Client, names: Iterable[str]) -> None:
    for name in names:
        client.delete(API_VERSION, KIND, name)
    _wait(client, set(names), lambda item: item is None, "can't be deleted; objects of them have finalizers")


def _established(item: Object | None) -> bool:
    conditions = (item or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _wait(client: Client, names: set[str], done: Callable[[Object | None], bool], complaint: str) -> None:
    end = time.monotonic() + DEADLINE
    while names:
        present = {item["metadata"]["name"]: item for item in client.list(API_VERSION, KIND)}
        names = {name for name in names if not done(present.get(name))}
        if names and time.monotonic() > end:
            raise BundleError(f"After {DEADLINE:.0f} s these CRDs {complaint}: {', '.join(sorted(names))}.")
        if names:
            time.sleep(0.2)
