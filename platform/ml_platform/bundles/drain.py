"""What makes the removal of a bundle end: no object of its own kinds outlives the controllers that finish it.

Pulumi deletes what it declared. Objects that controllers made for those, and what users made by hand, hold finalizers
that only a running controller removes. Without it their CRDs would stay in deletion for ever.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.bundles.definitions import API_VERSION, KIND
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object
from ml_platform.kube import Client, NotFound

DEADLINE = 60.0


class Drain(dynamic.Resource, module="bundles", name="Drain"):
    """Does nothing until it is deleted; then it deletes every object of the kinds that `definitions` define, and waits
    until they are gone. With `retain` it leaves them: they belong to a cluster that goes on."""

    def __init__(
        self,
        name: str,
        *,
        definitions: Sequence[str],
        retain: bool,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "definitions": sorted(definitions),
            "retain": retain,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # it captures nothing

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=any(olds.get(key) != news[key] for key in news if key != "__provider"))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_="drain", outs=props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(outs=news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        if not props["retain"]:
            _empty(Client.from_kubeconfig(props["kubeconfig"]), props["definitions"])


def _empty(client: Client, definitions: Sequence[str]) -> None:
    end = time.monotonic() + DEADLINE
    while left := list(_objects(client, definitions)):
        for item in left:
            if "deletionTimestamp" not in item["metadata"]:
                client.delete(item["apiVersion"], item["kind"], item["metadata"]["name"], _namespace(item))
        if time.monotonic() > end:
            raise BundleError(f"After {DEADLINE:.0f} s these are not gone: {'; '.join(map(_describe, left[:5]))}.")
        time.sleep(0.3)


def _objects(client: Client, definitions: Sequence[str]) -> Iterator[Object]:
    for name in definitions:
        try:
            spec = client.get(API_VERSION, KIND, name)["spec"]
            version = next(each["name"] for each in spec["versions"] if each["storage"])
            yield from client.list(f"{spec['group']}/{version}", spec["names"]["kind"])
        except NotFound:
            continue


def _namespace(item: Object) -> str | None:
    namespace: str | None = item["metadata"].get("namespace")
    return namespace


def _describe(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    finalizers = ", ".join(metadata.get("finalizers") or ["none"])
    return f"{item['kind']} {metadata.get('namespace', '-')}/{metadata['name']} (finalizers: {finalizers})"
