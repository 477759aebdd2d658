"""The few objects that the node itself needs in its cluster: rights of its DNS, its storage class, its volumes.

The volumes are folders on the node's disk, made ahead: no provisioner has to run. A volume whose claim is gone is
emptied and offered again at the next start. Their size is the disk's, shared by all: a claim is no limit here.
"""

from __future__ import annotations

import shutil

from ml_platform.kube import Client, Object

from ml_local.node import layout as names
from ml_local.node.layout import Layout

STORAGE_CLASS = "local-path"
VOLUMES = 12
FIELD_MANAGER = "ml-platform-node"


def apply(layout: Layout, client: Client) -> None:
    """Create or mend all of them."""
    for obj in (*_dns_rights(), _storage_class()):
        client.apply(obj, field_manager=FIELD_MANAGER, force=True)
    existing = {str(v["metadata"]["name"]): v for v in client.list("v1", "PersistentVolume")}
    capacity = f"{shutil.disk_usage(layout.data).total // 2**30}Gi"
    for number in range(1, VOLUMES + 1):
        name = f"volume-{number:02}"
        found = existing.get(name)
        if found is not None and found.get("status", {}).get("phase") in {"Released", "Failed"}:
            client.delete("v1", "PersistentVolume", name)
            shutil.rmtree(layout.data / "volumes" / name, ignore_errors=True)
            found = None
        (layout.data / "volumes" / name).mkdir(parents=True, exist_ok=True)
        if found is None:
            client.apply(_volume(layout, name, capacity), field_manager=FIELD_MANAGER, force=True)


def node_ready(client: Client) -> bool:
    """Whether the node takes pods."""
    for node in client.list("v1", "Node"):
        conditions = {c["type"]: c["status"] for c in node.get("status", {}).get("conditions", [])}
        if node["metadata"]["name"] == names.NAME and conditions.get("Ready") == "True":
            return True
    return False


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
