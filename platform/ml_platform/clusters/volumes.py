"""The volumes that claims of a cluster were given: they are gone before what removes them is.

A claim goes with its namespace, at once; its disk is removed afterwards by the cloud's driver. With the driver, or with
the whole cluster, gone by then, the disk would stay, and cost money for ever.
"""

import time
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.asking import asked
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.provider import Provider
from ml_platform.kube import Client

DEADLINE = 300.0
PAUSE = 2.0
NAMED = 10  # volumes in an error


class Volumes(dynamic.Resource, module="clusters", name="Volumes"):
    """Does nothing until it is deleted; then it waits until the disks of all claims are gone. It depends on what
    removes them, and all that has claims depends on it."""

    def __init__(self, name: str, *, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(_Provider(), name, {"kubeconfig": pulumi.Output.secret(kubeconfig)}, opts)


class _Provider(Provider):
    def identity(self, _props: dict[str, Any]) -> str:
        return "volumes"

    def remove(self, props: dict[str, Any]) -> None:
        end = time.monotonic() + DEADLINE
        with asked(props["kubeconfig"], "for volumes, whose disks would stay and cost money", patience=60.0) as client:
            while left := _left(client):
                if time.monotonic() > end:
                    raise BundleError(_refusal(left))
                time.sleep(PAUSE)


def _left(client: Client) -> list[dict[str, Any]]:
    """The volumes that go with their claims; others are kept by whoever made them."""
    found = client.list("v1", "PersistentVolume")
    return [each for each in found if each["spec"].get("persistentVolumeReclaimPolicy") == "Delete"]


def _refusal(left: Sequence[dict[str, Any]]) -> str:
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return (
        f"The cluster can't go: after {DEADLINE:.0f} s it still has volumes, whose disks would stay without it and "
        f"cost money: {'; '.join(map(_described, left[:NAMED]))}{more}. Delete their claims (`kubectl delete pvc "
        "<name> -n <namespace>`), or keep a disk with `kubectl patch pv <volume> -p "
        """'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`, then run `pulumi destroy` again"""
    )


def _described(volume: dict[str, Any]) -> str:
    claim, status = volume["spec"].get("claimRef", {}), volume.get("status", {})
    of = f" of claim {claim['namespace']}/{claim['name']}" if claim else ""
    why = f", {status['message']}" if status.get("message") else ""
    return f"{volume['metadata']['name']}{of} ({status.get('phase', 'Unknown')}{why})"
