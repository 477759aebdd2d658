"""The drain of a bundle: a removal deletes all objects of its CRDs before the controllers that finalize them.

Pulumi deletes only what it declared. Objects that controllers or users made have finalizers that only a running
controller removes. Without it, their CRDs would stay in deletion for ever.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.asking import asked
from ml_platform.bundles.definitions import with_conversion_webhook
from ml_platform.bundles.discovery import served
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parallel import each
from ml_platform.bundles.provider import Provider
from ml_platform.kube import Client, NotFound

DEADLINE = 60.0
NAMED = 10  # objects that an error lists
METADATA = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}


class Drain(dynamic.Resource, module="bundles", name="Drain"):
    """Deleting the resource deletes every object of the CRDs `definitions` and waits until all are gone; creating it
    does nothing. With `retain` the objects stay on the cluster; deleting the resource then fails while there are
    objects of a CRD with a conversion webhook, which is removed with the bundle."""

    def __init__(
        self,
        name: str,
        *,
        bundle: str,
        definitions: Sequence[str],
        retain: bool,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "bundle": bundle,
            "definitions": sorted(definitions),
            "retain": retain,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(Provider):
    def identity(self, _props: dict[str, Any]) -> str:
        return "drain"

    def remove(self, props: dict[str, Any]) -> None:
        if not props["definitions"]:
            return
        what = f"which objects of bundle {props['bundle']} it has"
        with asked(props["kubeconfig"], what, patience=DEADLINE) as client:
            if props["retain"]:
                _refuse_unreadable(client, props["bundle"], props["definitions"])
            else:
                _delete_all(client, props["bundle"], props["definitions"])


def _refuse_unreadable(client: Client, bundle: str, definitions: Sequence[str]) -> None:
    left = _remaining(client, served(client, with_conversion_webhook(client, definitions)).values())
    if left:
        raise BundleError(
            f"Bundle {bundle} can't go: its webhook converts objects that are still there, and without it nobody could "
            f"read them: {_named(left)}. Delete them first."
        )


def _delete_all(client: Client, bundle: str, definitions: Sequence[str]) -> None:
    end = time.monotonic() + DEADLINE
    everything = lists = list(served(client, definitions).values())
    while (left := _remaining(client, lists)) or lists is not everything:
        each(partial(_delete, client), (one for one in left if "deletionTimestamp" not in one.metadata))
        if time.monotonic() > end:
            raise BundleError(
                f"Bundle {bundle} can't go: after {DEADLINE:.0f} s these objects of its kinds are still there: "
                f"{_named(left)}. What removes their finalizers has to run; its log says why it does not."
            )
        # A deletion may create objects of other kinds, so the loop ends with a look at all kinds.
        lists = sorted({one.list for one in left}) or everything
        time.sleep(0.3)


@dataclass(frozen=True)
class _Left:
    """A remaining object, with the path where its kind is listed."""

    list: str
    metadata: Mapping[str, Any]

    @property
    def path(self) -> str:
        root, _, plural = self.list.rpartition("/")
        within = f"/namespaces/{self.metadata['namespace']}" if "namespace" in self.metadata else ""
        return f"{root}{within}/{plural}/{self.metadata['name']}"

    def __str__(self) -> str:
        where = "/".join(filter(None, (self.metadata.get("namespace"), self.metadata["name"])))
        finalizers = ", ".join(self.metadata.get("finalizers") or ["none"])
        return f"{self.list.rpartition('/')[2]} {where} (finalizers: {finalizers})"


def _remaining(client: Client, lists: Iterable[str]) -> list[_Left]:
    lists = list(lists)
    found = each(partial(listed, client), lists)
    return [_Left(path, metadata) for path, items in zip(lists, found, strict=True) for metadata in items]


def listed(client: Client, path: str) -> list[Mapping[str, Any]]:
    """The metadata of all objects that are listed at `path`; none where the kind is absent."""
    found: list[Mapping[str, Any]] = []
    params: dict[str, str | None] = {"limit": "500"}
    while True:
        try:
            page = client.request("GET", path, params=params, headers=METADATA)
        except NotFound:
            return found
        found += [item["metadata"] for item in page["items"] or []]
        params["continue"] = page["metadata"].get("continue")
        if not params["continue"]:
            return found


def _delete(client: Client, one: _Left) -> None:
    try:
        client.request("DELETE", one.path)
    except NotFound:
        return


def _named(left: Sequence[_Left]) -> str:
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return "; ".join(map(str, left[:NAMED])) + more
