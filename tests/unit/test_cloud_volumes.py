"""The disks of claims go before what removes them: the order, and what the end of a cluster waits for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ml_platform import asking
from ml_platform.bundles.errors import BundleError
from ml_platform.clusters import volumes
from ml_platform.kube import Unreachable
from support import stacks
from support.clouds import CLOUDS, SETTINGS, declare


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    monkeypatch.setattr(volumes.time, "sleep", lambda _: None)


def volume(name: str, phase: str = "Released", policy: str = "Delete", **status: str) -> dict[str, Any]:
    spec = {"persistentVolumeReclaimPolicy": policy, "claimRef": {"namespace": "team", "name": f"claim-of-{name}"}}
    return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase, **status}}


def end(monkeypatch: pytest.MonkeyPatch, listed: Callable[[], list[dict[str, Any]]]) -> None:
    class Cluster:
        def list(self, *kind: str) -> list[dict[str, Any]]:
            assert kind == ("v1", "PersistentVolume")
            return listed()

    monkeypatch.setattr(asking.Client, "from_kubeconfig", lambda *_, **__: Cluster())
    volumes._Provider().delete("", {"kubeconfig": "{}"})


@pytest.mark.parametrize("cloud", CLOUDS)
def test_objects_go_before_their_disks_and_disks_before_what_removes_them(cloud: str) -> None:
    found, _ = declare(cloud)
    objects, disks = found.find("pulumi:providers:kubernetes", "cluster"), found.find("Volumes", "ml-platform")
    assert any(urn.endswith(":Volumes::ml-platform") for urn in objects.dependencies)
    removers = [f"::ml-platform-{pool}" for pool in SETTINGS[cloud]["pools"]]
    removers += ["::ml-platform-disks"] if cloud == "eks" else []
    assert [end for end in removers if not any(urn.endswith(end) for urn in disks.dependencies)] == []


def test_a_cluster_waits_until_the_disks_of_its_claims_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [[volume("a"), volume("b")], [volume("b")], []]
    end(monkeypatch, lambda: answers.pop(0))
    assert answers == []


def test_a_disk_that_somebody_keeps_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    end(monkeypatch, lambda: [volume("kept", policy="Retain")])


def test_a_disk_that_stays_is_named_with_its_claim_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "DEADLINE", -1.0)
    left = [volume("used", "Bound"), volume("stuck", "Failed", message="still attached"), *map(volume, "abcdefghijk")]
    with pytest.raises(BundleError) as refused:
        end(monkeypatch, lambda: left)
    for said in (
        "used of claim team/claim-of-used (Bound)", "stuck of claim team/claim-of-stuck (Failed, still attached)",
        "and 3 more", "kubectl delete pvc", '"persistentVolumeReclaimPolicy":"Retain"',
    ):  # fmt: skip
        assert said in str(refused.value)


def test_a_cluster_that_does_not_answer_is_not_taken_for_one_without_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[dict[str, Any]]:
        raise Unreachable("no route")

    with pytest.raises(asking.AwayError, match=r"disks would stay and cost money: no route.*If it was deleted: "):
        end(monkeypatch, away)
