"""The persistent volumes of a cluster: their disks are removed before the driver that removes them.

Deleting a namespace deletes its claims at once; the cloud's driver removes their disks afterwards. If the driver or the
whole cluster were removed by then, the disks would stay and cost money for ever.
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
    """The disks of all claims. The deletion of this resource waits until they are removed; its creation does nothing.
    It depends on the nodes, on which the driver runs, and everything with claims depends on it."""

    def __init__(self, name: str, *, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(_Provider(), name, {"kubeconfig": pulumi.Output.secret(kubeconfig)}, opts)


class _Provider(Provider):
    def identity(self, _props: dict[str, Any]) -> str:
        return "volumes"

    def remove(self, props: dict[str, Any]) -> None:
        end = time.monotonic() + DEADLINE
        with asked(props["kubeconfig"], "for volumes, whose disks would stay and cost money", patience=60.0) as client:
            while left := _remaining(client):
                if time.monotonic() > end:
                    raise BundleError(_refusal(left))
                time.sleep(PAUSE)


def _remaining(client: Client) -> list[dict[str, Any]]:
    """The volumes that are still there and are removed with their claims (reclaim policy Delete)."""
    found = client.list("v1", "PersistentVolume")
    return [each for each in found if each["spec"].get("persistentVolumeReclaimPolicy") == "Delete"]


def _refusal(left: Sequence[dict[str, Any]]) -> str:
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return (
        f"The cluster can't go: after {DEADLINE:.0f} s it still has volumes, whose disks would stay without it and "
        f"cost money: {'; '.join(map(_described, left[:NAMED]))}{more}. If the platform that they are of is another "
        "stack's, run `pulumi destroy` of that stack first. Else delete their claims (`kubectl delete pvc <name> -n "
        "<namespace>`), or keep a disk with `kubectl patch pv <volume> -p "
        """'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`, then run `pulumi destroy` again"""
    )


def _described(volume: dict[str, Any]) -> str:
    claim, status = volume["spec"].get("claimRef", {}), volume.get("status", {})
    of = f" of claim {claim['namespace']}/{claim['name']}" if claim else ""
    why = f", {status['message']}" if status.get("message") else ""
    return f"{volume['metadata']['name']}{of} ({status.get('phase', 'Unknown')}{why})"
