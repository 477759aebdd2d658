"""The node's volumes between two claims, and what its kubelet has said since it was started."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from ml_local.node import objects
from ml_local.node.layout import Layout
from ml_platform.kube import Client


class Cluster:
    """Stands in for the API server: volumes, claims and nodes. `patience` calls are answered before it is gone."""

    def __init__(self, **objects_by_kind: list[dict[str, Any]]) -> None:
        self.objects = {
            kind: {each["metadata"]["name"]: each for each in them} for kind, them in objects_by_kind.items()
        }
        self.patience = 10**9

    @property
    def client(self) -> Client:
        return cast("Client", self)

    def list(self, _: str, kind: str) -> list[dict[str, Any]]:
        return list(self.objects.get(kind, {}).values())

    def find(self, _: str, kind: str, name: str) -> dict[str, Any] | None:
        return self.objects.get(kind, {}).get(name)

    def apply(self, obj: dict[str, Any], **_: Any) -> None:
        self._answer()
        self.objects.setdefault(obj["kind"], {})[obj["metadata"]["name"]] = {**obj, "status": {"phase": "Available"}}

    def patch(self, _: str, kind: str, name: str, __: None, body: dict[str, Any]) -> None:
        self._answer()
        assert body == {"spec": {"claimRef": None}}
        self.objects[kind][name]["status"]["phase"] = "Available"

    def _answer(self) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise KeyboardInterrupt


@pytest.fixture
def node(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.data.mkdir()
    return layout


def _used(node: Layout, name: str) -> Path:
    """The folder of a volume in which its claim has left something."""
    secret = node.data / "volumes" / name / "secret"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("of the claim before")
    return secret


def _phases(cluster: Cluster) -> dict[str, str]:
    return {volume["metadata"]["name"]: volume["status"]["phase"] for volume in cluster.list("v1", "PersistentVolume")}


@pytest.mark.parametrize("calls", range(8))
def test_no_claim_gets_what_another_left_whenever_the_emptying_is_killed(calls: int, node: Layout) -> None:
    cluster = Cluster()
    objects.apply(node, cluster.client)
    for name in ("volume-01", "volume-12"):
        cluster.objects["PersistentVolume"][name]["status"]["phase"] = "Released"
        _used(node, name)
    del cluster.objects["PersistentVolume"]["volume-02"]
    _used(node, "volume-02")
    cluster.patience = calls
    try:
        objects.apply(node, cluster.client)
    except KeyboardInterrupt:
        for name, phase in _phases(cluster).items():
            assert phase != "Available" or list((node.data / "volumes" / name).iterdir()) == [], name
    cluster.patience = 10**9
    objects.apply(node, cluster.client)
    assert set(_phases(cluster).values()) == {"Available"}
    assert len(_phases(cluster)) == objects.VOLUMES
    assert [path for path in node.data.rglob("*") if path.is_file()] == []


def test_a_claim_may_ask_for_more_since_its_size_is_no_limit(node: Layout) -> None:
    cluster = Cluster()
    objects.apply(node, cluster.client)
    assert cluster.objects["StorageClass"][objects.STORAGE_CLASS]["allowVolumeExpansion"] is True


def test_a_volume_that_is_in_use_keeps_what_is_in_it(node: Layout) -> None:
    cluster = Cluster()
    objects.apply(node, cluster.client)
    cluster.objects["PersistentVolume"]["volume-03"]["status"]["phase"] = "Bound"
    secret = _used(node, "volume-03")
    objects.apply(node, cluster.client)
    assert secret.exists()


@pytest.mark.parametrize(
    ("phases", "said"),
    [
        (["Bound"] * 12, r"all 12 volumes.*models/data waits for one: delete a claim"),
        (["Bound"] * 9 + ["Released"] * 3, r"models/data waits for one: `make up` offers 3 of them again"),
        (["Bound"] * 11 + ["Available"], r"^$"),
    ],
)
def test_a_claim_that_finds_no_volume_is_told_with_the_way_out(phases: list[str], said: str) -> None:
    volumes = [
        {"metadata": {"name": f"volume-{number}"}, "status": {"phase": phase}} for number, phase in enumerate(phases)
    ]
    claim = {"metadata": {"name": "data", "namespace": "models"}, "status": {"phase": "Pending"}}
    cluster = Cluster(PersistentVolume=volumes, PersistentVolumeClaim=[claim])
    assert re.search(said, objects.used_up(cluster.client))


@pytest.mark.parametrize(
    ("status", "heartbeat", "ready"),
    [("True", -60, False), ("True", 0, True), ("True", 5, True), ("False", 5, False)],
)
def test_the_node_is_ready_when_its_kubelet_has_said_so_since_it_was_started(
    status: str, heartbeat: int, ready: bool
) -> None:
    started = 1_790_000_000.4
    said = datetime.fromtimestamp(int(started) + heartbeat, UTC).isoformat().replace("+00:00", "Z")
    condition = {"type": "Ready", "status": status, "lastHeartbeatTime": said}
    cluster = Cluster(Node=[{"metadata": {"name": "node-1"}, "status": {"conditions": [condition]}}])
    assert objects.node_ready(cluster.client, started) == ready
