"""The provider's configuration: inputs before environment, and what cannot be honoured."""

import json

import pytest
from kubernetes_provider.settings import Settings, refusals

pytestmark = pytest.mark.unit

KUBECONFIG = json.dumps(
    {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "namespace": "mine"}}, {"name": "d", "context": {}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://h"}}],
    }
)


def parse(**inputs: str) -> Settings:
    return Settings.parse({f"kubernetes:config:{name}": value for name, value in inputs.items()})


def test_defaults_are_the_official_plugins() -> None:
    settings = parse(kubeconfig=KUBECONFIG)
    assert settings.server_side_apply
    flags = (settings.upsert, settings.patch_force, settings.config_map_mutable, settings.secret_mutable)
    assert not any(flags)
    assert settings.namespace == "mine"


def test_an_input_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_K8S_UPSERT_EXISTING_OBJECTS", "true")
    assert parse(kubeconfig=KUBECONFIG).upsert
    assert not parse(kubeconfig=KUBECONFIG, upsertExistingObjects="false").upsert


def test_the_namespace_of_the_provider_wins_over_the_contexts() -> None:
    assert parse(kubeconfig=KUBECONFIG, namespace="theirs").namespace == "theirs"


def test_client_settings_are_json() -> None:
    assert parse(kubeconfig=KUBECONFIG, kubeClientSettings='{"timeout": 7, "qps": 50}').timeout == 7


def test_an_unusable_kubeconfig_is_told_when_it_is_needed() -> None:
    settings = parse(kubeconfig=KUBECONFIG, context="gone")
    assert settings.connection is None
    assert "no context 'gone'" in settings.unusable


def test_rendering_to_files_is_refused_by_name() -> None:
    (name, reason), *more = refusals({"renderYamlToDirectory": "out"}, default_provider=False)
    assert (name, more) == ("renderYamlToDirectory", [])
    assert "official" in reason


def test_strict_mode_wants_kubeconfig_and_context() -> None:
    refused = refusals({"strictMode": "true"}, default_provider=True)
    assert [name for name, _ in refused] == ["", "kubeconfig", "context"]
    assert refusals({"strictMode": "true", "kubeconfig": "x", "context": "y"}, default_provider=False) == []
