"""Where Kubernetes comes from: what each source reads, and what it says when something is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform.clusters import connect
from ml_platform.configuration import SettingsError
from ml_platform.settings import ExistingCluster, LoadBalancerSettings, LocalCluster, OwnershipSettings, StackOutput
from pulumi.runtime import mocks
from support import recorder

KUBECONFIG: dict[str, Any] = {
    "clusters": [{"name": "c", "cluster": {"server": "https://test.invalid"}}],
    "users": [{"name": "u", "user": {"token": "secret"}}],
    "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("one", "two")],
    "current-context": "one",
}
TEXT = json.dumps(KUBECONFIG)


def test_a_missing_kubeconfig_is_named_with_the_command_that_sets_it() -> None:
    with pytest.raises(SettingsError, match="pulumi config set --secret ml-platform:kubeconfig ") as refused:
        _connect(ExistingCluster(source="existing"), {})
    assert "ml-platform:kubeconfig is not set" in str(refused.value)


def test_a_kubeconfig_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"ml-platform:cluster\.kubeconfig is '/nowhere/config'"):
        _connect(ExistingCluster(source="existing", kubeconfig="/nowhere/config"), {})


def test_a_kubeconfig_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"which can't be read: it is no text"):
        _connect(ExistingCluster(source="existing", kubeconfig=str(tmp_path / "config")), {"seed": "s"})


def test_a_kubeconfig_file_is_looked_for_from_the_folder_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    monkeypatch.chdir("/")
    (tmp_path / "config").write_text(TEXT)
    found = _connect(ExistingCluster(source="existing", kubeconfig="config"), {})
    assert found.inputs("pulumi:providers:kubernetes", "cluster")["kubeconfig"] == "[secret]"
    with pytest.raises(SettingsError, match=r"is 'other', which can't be read: No such.*the folder of Pulumi\.yaml"):
        _connect(ExistingCluster(source="existing", kubeconfig="other"), {})


def test_its_load_balancer_is_told_what_the_settings_say() -> None:
    balancer = LoadBalancerSettings(annotations={"balancer.test/internal": "true"}, assumed=True)
    settings, found = ExistingCluster(source="existing", load_balancer=balancer), []
    config = {"ml-platform:seed": "s", "ml-platform:kubeconfig": TEXT}
    recorder.record(lambda: found.append(connect(settings, OwnershipSettings())), config=config)
    assert found[0].load_balancer.annotations == balancer.annotations
    assert found[0].load_balancer.assumed


class Other(recorder.Outputs):
    """There is another stack, with these outputs."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        found = {"outputs": {"kubeconfig": TEXT}, "secretOutputNames": ["kubeconfig"]}
        return args.name, {**args.inputs, **found}


def test_the_kubeconfig_can_be_an_output_of_another_stack() -> None:
    settings = ExistingCluster(source="existing", kubeconfig=StackOutput(stack="acme/network/prod"))

    def program() -> None:
        pulumi.export("kubeconfig", connect(settings, OwnershipSettings()).kubeconfig)

    found = recorder.record(program, config={"ml-platform:seed": "s"}, world=Other())
    known = json.loads(found.exports["kubeconfig"])
    assert [known[key] for key in ("clusters", "users")] == [KUBECONFIG[key] for key in ("clusters", "users")]
    assert [each["name"] for each in known["contexts"]] == ["one"]


def test_an_output_that_another_stack_has_not_is_named() -> None:
    other = StackOutput(stack="acme/network/prod", output="config")
    with pytest.raises(SettingsError, match=r"cluster.kubeconfig.stack is 'acme/network/prod', .*no output 'config'"):
        _connect(ExistingCluster(source="existing", kubeconfig=other), {"seed": "s"})


def test_an_existing_cluster_adopts_nothing_and_keeps_what_it_holds() -> None:
    found = _connect(ExistingCluster(source="existing"), {"kubeconfig": TEXT})
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
        lambda: connect(settings, OwnershipSettings()).provider([]),
        config=config,
        secrets=config,
        world=Other(),
    )
