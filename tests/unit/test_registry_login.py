"""Images from a registry that wants a login: who has it, where it comes from, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ml_platform import registry_login
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import SharedPlatform, platform_model
from support import clouds, recorder, stacks
from support.recorder import Recorder

TEXT = json.dumps({"auths": {"registry.test": {"auth": "dXNlcjp2ZXJ5IHNlY3JldA=="}}})
KEY = "ml-platform:registry_login"
KUBERNETES = "kubernetes:"


def install(stack: str, text: str | None = TEXT, **changes: Any) -> Recorder:
    secrets = {} if text is None else {KEY: text}
    return stacks.record(stack, {"registry_login": "given", **changes}, secrets=secrets)


def objects(found: Recorder, kind: str) -> list[dict[str, Any]]:
    return [
        recorder.inputs(each)
        for each in found.requests.values()
        if each.type.startswith(KUBERNETES) and each.type.endswith(f":{kind}")
    ]


@pytest.mark.mirror
@pytest.mark.parametrize("stack", ["existing", "everything", "istio"])
def test_every_service_account_has_the_login_and_finds_it_in_its_namespace(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    found = install(stack)
    accounts = objects(found, "ServiceAccount")
    assert len(accounts) > 8
    without = [each["metadata"]["name"] for each in accounts if {"name": "registry-login"} not in pulls(each)]
    assert without == []
    logins = [each for each in objects(found, "Secret") if each["metadata"]["name"] == "registry-login"]
    places = [each["metadata"]["namespace"] for each in logins]
    assert len(places) == len(set(places))
    assert {each["metadata"]["namespace"] for each in accounts} <= set(places)
    assert {each["type"] for each in logins} == {"kubernetes.io/dockerconfigjson"}
    assert all(each["stringData"] == {".dockerconfigjson": recorder.HIDDEN} for each in logins)


def pulls(account: Mapping[str, Any]) -> list[dict[str, str]]:
    return list(account.get("imagePullSecrets", []))


@pytest.mark.mirror
def test_without_the_setting_there_is_no_login_though_the_secret_is_set() -> None:
    found = stacks.record("existing", secrets={KEY: TEXT})
    assert [each for each in objects(found, "ServiceAccount") if pulls(each)] == []
    assert "registry-login" not in [each["metadata"]["name"] for each in objects(found, "Secret")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no Docker configuration"),
        ("very secret", "no Docker configuration"),
        ("[]", "no Docker configuration"),
        ('{"auths": []}', "no Docker configuration"),
        ('{"auths": {}}', "no Docker configuration"),
        ('{"auths": {"registry.test": {}}, "credsStore": "desktop"}', "no login to registry.test, which Docker may"),
        ('{"auths": {"registry.test": {"username": "very secret"}}}', "no login to registry.test"),
    ],
)
def test_a_login_that_is_none_is_refused_with_the_way_to_one_and_not_shown(text: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        given(text)
    assert f"{KEY} can't be used: it " in str(refused.value)
    assert words in str(refused.value)
    assert "docker --config login login <registry>" in str(refused.value)
    assert "very secret" not in str(refused.value)


def given(text: str | None) -> Recorder:
    def program() -> None:
        import pulumi

        pulumi.export("login", registry_login.chosen("given", None))

    known = {} if text is None else {KEY: text}
    return recorder.record(program, config=known, secrets=known)


def test_a_login_that_is_not_there_is_asked_for() -> None:
    with pytest.raises(SettingsError, match=f"{KEY} is not set.*\n.*config set --secret {KEY} <value>"):
        given(None)


def test_a_login_stays_secret() -> None:
    found = given(TEXT)
    assert (found.exports["login"], found.secrets) == (TEXT, {"login"})


def test_a_cluster_without_a_login_has_none_to_give() -> None:
    with pytest.raises(SettingsError, match=r"platform\.registry_login is 'cluster', and this cluster has no login"):
        registry_login.chosen("cluster", None)


@pytest.mark.parametrize(
    ("model", "block"),
    [(platform_model({}), {}), (SharedPlatform, {"source": "stack", "stack": "acme/ml-platform/production"})],
)
def test_a_source_of_logins_that_there_is_not_is_refused(model: type[Any], block: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"platform\.registry_login is \"somebody\": input should be 'given'"):
        validate("platform", {**block, "registry_login": "somebody"}, model)


def test_ionos_makes_a_login_that_may_pull_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    found, known = clouds.declare("ionos")
    token = found.inputs("RegistryToken", "ml-platform-pull")
    assert [scope["actions"] for scope in token["scopes"]] == [["pull"]]
    assert known["cluster"].registry_login is not None
