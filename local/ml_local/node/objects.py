"""The few objects that the node itself needs in its cluster: rights of its DNS, its storage class, its volumes.

The volumes are folders on the node's disk, made ahead: no provisioner has to run. A volume whose claim is gone is
offered again, with a new folder, by the next `make up`, also of a node that runs. Their size is the disk's, shared by
all: a claim is no limit here, and may ask for more at any time.
"""

from __future__ import annotations

import secrets
import shutil
from datetime import datetime

from ml_platform.kube import Client, Object

from ml_local.node import layout as names
from ml_local.node.layout import Layout

STORAGE_CLASS = "local-path"
VOLUMES = 12
RELEASED = ("Released", "Failed")  # phases of a volume whose claim is gone
FIELD_MANAGER = "ml-platform-node"


def apply(layout: Layout, client: Client) -> None:
    """Create or mend all of them."""
    for obj in (*_dns_rights(), _storage_class()):
        client.apply(obj, field_manager=FIELD_MANAGER, force=True)
    _offer_volumes(layout, client)


def node_ready(client: Client, since: float = 0.0) -> bool:
    """Whether the node takes pods, as its kubelet has said at `since` (seconds since the epoch) or later."""
    node = client.find("v1", "Node", names.NAME) or {}
    for condition in node.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            said = datetime.fromisoformat(condition["lastHeartbeatTime"]).timestamp()  # in whole seconds
            return bool(condition["status"] == "True") and said >= int(since)
    return False


def used_up(client: Client) -> str:
    """Why a claim waits for a volume, where one does because none is free; else empty."""
    claims = client.list("v1", "PersistentVolumeClaim")
    waiting = [c["metadata"] for c in claims if c.get("status", {}).get("phase") == "Pending"]
    phases = [_phase(volume) for volume in client.list("v1", "PersistentVolume")]
    if not waiting or "Available" in phases:
        return ""
    released = sum(phase in RELEASED for phase in phases)
    which = ", ".join(f"{each['namespace']}/{each['name']}" for each in waiting)
    way = f"`make up` offers {released} of them again" if released else "delete a claim, then run `make up`"
    return f"all {VOLUMES} volumes of this node are used, and {which} waits for one: {way}"


def _offer_volumes(layout: Layout, client: Client) -> None:
    """Let every volume that nobody has be one with an empty folder.

    The folder is taken away before the volume is offered: whenever this is killed, no claim gets what another left.
    """
    folder, old = layout.data / "volumes", layout.data / "old-volumes"
    existing = {str(volume["metadata"]["name"]): volume for volume in client.list("v1", "PersistentVolume")}
    capacity = f"{shutil.disk_usage(layout.data).total // 2**30}Gi"
    for name in (f"volume-{number:02}" for number in range(1, VOLUMES + 1)):
        volume = existing.get(name)
        if volume is not None and _phase(volume) not in RELEASED:
            continue
        if (folder / name).exists():
            old.mkdir(exist_ok=True)
            (folder / name).rename(old / f"{name}-{secrets.token_hex(4)}")
        (folder / name).mkdir(parents=True)
        if volume is None:
            client.apply(_volume(layout, name, capacity), field_manager=FIELD_MANAGER, force=True)
        else:
            client.patch("v1", "PersistentVolume", name, None, {"spec": {"claimRef": None}})
    shutil.rmtree(old, ignore_errors=True)


def _phase(volume: Object) -> str:
    return str(volume.get("status", {}).get("phase"))


def _dns_rights() -> list[Object]:
    api = "rbac.authorization.k8s.io"
    name = "ml-platform:coredns"
    rules = [
        {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
    ]
    return [
        {"apiVersion": f"{api}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": api, "kind": "User", "name": name}],
        },
    ]


def _storage_class() -> Object:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": STORAGE_CLASS,
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def _volume(layout: Layout, name: str, capacity: str) -> Object:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [names.NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": capacity},
            "local": {"path": str(layout.data / "volumes" / name)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": STORAGE_CLASS,
        },
    }
