"""Volumes of the platform's servers: claims of their own, which grow and are never made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from ml_platform import asking
from ml_platform.bundles import preflight
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.preflight import volumes
from ml_platform.kube import Client
from pulumi.dynamic import DiffResult
from pulumi.runtime.rpc import UNKNOWN
from support import stacks
from support.gateway_tree import declare
from support.made_up import thing

SETTING = "object_store.storage"
GROWS = thing("StorageClass", "disks", "storage.k8s.io/v1", allowVolumeExpansion=True)
FIXED = thing("StorageClass", "disks", "storage.k8s.io/v1")
CLAIMS = {"postgres": ("mlflow", "data-postgres-0"), "s3": ("storage", "data-s3-0")}


class Cluster:
    """Has one volume of 5Gi."""

    def __init__(self, storage_class: Any, claim: str = "data-s3-0") -> None:
        spec = {"storageClassName": "disks", "resources": {"requests": {"storage": "5Gi"}}}
        self.there = {"PersistentVolumeClaim": {claim: {"spec": spec}}, "StorageClass": {"disks": storage_class}}

    def find(self, _api_version: str, kind: str, name: str, _namespace: str | None = None) -> Any:
        return self.there[kind].get(name)


def wanted(size: str) -> list[volumes.Volume]:
    return [volumes.Volume(setting=SETTING, namespace="storage", claim="data-s3-0", size=size)]


@pytest.mark.parametrize(
    ("cluster", "size", "says"),
    [
        (Cluster(GROWS), "5Gi", ""),
        (Cluster(FIXED), "5120Mi", ""),
        (Cluster(GROWS), "6Gi", ""),
        (Cluster(FIXED, claim="another"), "1Gi", ""),
        (Cluster(GROWS), "5G", "a volume grows and never shrinks"),
        (Cluster(FIXED), "6Gi", "volumes of storage class disks have a fixed size"),
        (Cluster(None), "6Gi", "volumes of storage class disks have a fixed size"),
    ],
)
def test_a_volume_grows_where_its_class_allows_it_and_never_shrinks(cluster: Any, size: str, says: str) -> None:
    found = list(volumes.findings(cast("Client", cluster), wanted(size)))
    assert len(found) == bool(says)
    for each in found:
        assert each.startswith(f"ml-platform:platform.{SETTING} is '{size}', and volume storage/data-s3-0 has 5Gi: ")
        assert says in each
        assert f"pulumi config set --path 'ml-platform:platform.{SETTING}' 5Gi" in each


def preview(before: str | None, after: str, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> DiffResult:
    monkeypatch.setattr(asking.Client, "from_kubeconfig", lambda *_, **__: Cluster(GROWS))
    olds = {"volumes": wanted(before)} if before else {}
    news: dict[str, Any] = {"entries": {}, "existing": {}, "mirror": "", "labels": {}, "kubeconfig": kubeconfig}
    return preflight._Provider().diff("preflight", olds, {**news, "volumes": wanted(after)})


@pytest.mark.parametrize("before", ["5Gi", None], ids=["declared", "of a program that did not say"])
def test_a_size_that_can_not_be_is_refused_in_the_preview(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        BundleError, match=r"Nothing was touched\.\n- ml-platform:platform\.object_store\.storage is '4Gi'"
    ):
        preview(before, "4Gi", "{}", monkeypatch)


@pytest.mark.parametrize(
    ("before", "after", "kubeconfig"),
    [("5Gi", "6Gi", "{}"), ("4Gi", "4Gi", "{}"), ("5Gi", "4Gi", UNKNOWN)],
    ids=["it can be", "nothing new is asked for", "the cluster can't be asked yet, and the update asks it"],
)
def test_a_preview_goes_on(before: str, after: str, kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert preview(before, after, kubeconfig, monkeypatch).changes is not None


@pytest.mark.parametrize("server", CLAIMS)
def test_a_server_uses_a_claim_that_the_stack_declares(server: str) -> None:
    namespace, name = CLAIMS[server]
    found = declare({"host_port": 8080}, postgres={"storage": "7Gi"}, object_store={"storage": "7Gi"})
    claim = found.inputs("PersistentVolumeClaim", server)
    assert (claim["metadata"]["namespace"], claim["metadata"]["name"]) == (namespace, name)
    assert claim["spec"]["resources"] == {"requests": {"storage": "7Gi"}}
    spec = found.inputs("StatefulSet", server)["spec"]
    assert "volumeClaimTemplates" not in spec
    assert {"name": "data", "persistentVolumeClaim": {"claimName": name}} in spec["template"]["spec"]["volumes"]
    before = {urn.rpartition("$")[2] for urn in found.find("StatefulSet", server).dependencies}
    assert f"kubernetes:core/v1:PersistentVolumeClaim::{server}" in before
    looked_at = {each["claim"]: each for each in found.inputs("Preflight", "preflight")["volumes"]}
    assert (looked_at[name]["namespace"], looked_at[name]["size"]) == (namespace, "7Gi")


@pytest.mark.parametrize("server", CLAIMS)
def test_a_volume_keeps_its_class_whatever_class_is_chosen_for_others(server: str) -> None:
    assert declare({"host_port": 8080}).find("PersistentVolumeClaim", server).ignoreChanges == ["spec.storageClassName"]


@pytest.mark.parametrize("sizes", [{}, {"postgres": {"storage": "1Gi"}, "object_store": {"storage": "90Gi"}}])
def test_where_a_size_limits_nothing_no_stack_file_asks_for_another(
    sizes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    found = stacks.record("local", sizes)
    for server in CLAIMS:
        assert found.inputs("PersistentVolumeClaim", server)["spec"]["resources"]["requests"] == {"storage": "10Gi"}
    assert {each["size"] for each in found.inputs("Preflight", "preflight")["volumes"]} == {"10Gi"}
