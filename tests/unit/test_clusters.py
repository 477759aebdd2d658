"""Where Kubernetes comes from: what each source reads, and what it says when something is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.clusters import connect, existing
from ml_platform.configuration import SettingsError
from ml_platform.settings import ExistingCluster, LocalCluster
from support import recorder

KUBECONFIG: dict[str, Any] = {
    "clusters": [{"name": "c", "cluster": {"server": "https://test.invalid", "certificate-authority": "ca.crt"}}],
    "users": [{"name": "u", "user": {"client-certificate": "/abs/u.crt", "tokenFile": "token"}}],
    "contexts": [{"name": "one", "context": {}}, {"name": "two", "context": {}}],
    "current-context": "one",
}
TEXT = json.dumps(KUBECONFIG)


def test_a_kubeconfig_means_the_same_from_anywhere() -> None:
    found = json.loads(existing.complete(TEXT, Path("/home/me/.kube"), None))
    assert found["clusters"][0]["cluster"]["certificate-authority"] == "/home/me/.kube/ca.crt"
    assert found["users"][0]["user"] == {"client-certificate": "/abs/u.crt", "tokenFile": "/home/me/.kube/token"}
    assert found["current-context"] == "one"


def test_a_context_becomes_the_current_one() -> None:
    assert json.loads(existing.complete(TEXT, Path("/"), "two"))["current-context"] == "two"


def test_an_unknown_context_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"context is 'three'; the kubeconfig has one, two"):
        existing.complete(TEXT, Path("/"), "three")


def test_what_is_no_kubeconfig_is_refused() -> None:
    with pytest.raises(SettingsError, match="kubectl config view --raw"):
        existing.complete("hello", Path("/"), None)


@pytest.mark.parametrize(
    ("secrets", "missing"), [({"kubeconfig": TEXT}, "seed"), ({"seed": "s"}, "kubeconfig"), ({}, "kubeconfig")]
)
def test_a_missing_secret_is_named_with_the_command_that_sets_it(secrets: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsError, match=f"pulumi config set --secret ml-platform:{missing} ") as refused:
        _connect(ExistingCluster(source="existing"), secrets)
    assert f"ml-platform:{missing} is not set" in str(refused.value)


def test_a_kubeconfig_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"ml-platform:cluster\.kubeconfig is '/nowhere/config'"):
        _connect(ExistingCluster(source="existing", kubeconfig="/nowhere/config"), {"seed": "s"})


def test_an_existing_cluster_adopts_nothing_and_keeps_what_it_holds() -> None:
    found = _connect(ExistingCluster(source="existing"), {"seed": "s", "kubeconfig": TEXT})
    options = found.inputs("pulumi:providers:kubernetes", "cluster")
    assert "upsertExistingObjects" not in options
    assert options["kubeconfig"] == "[secret]"


def test_a_node_that_was_not_started_is_named_with_the_command_that_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(tmp_path))
    with pytest.raises(SettingsError, match=f"{tmp_path}/cluster.json can't be read.*`make up`"):
        _connect(LocalCluster(source="local"), {})


def _connect(settings: LocalCluster | ExistingCluster, secrets: dict[str, str]) -> recorder.Recorder:
    config = {f"ml-platform:{name}": value for name, value in secrets.items()}
    return recorder.record(
        lambda: connect(settings, pulumi.Config("ml-platform")).provider([]), config=config, secrets=config
    )
