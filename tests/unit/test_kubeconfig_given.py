"""A kubeconfig that somebody gives: what it means here, and what is said of one that can't work."""

from __future__ import annotations

import base64
import copy
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import CertificateBuilder, Name, random_serial_number
from ml_platform.clusters.kubeconfig import complete
from ml_platform.configuration import SettingsError

pytestmark = pytest.mark.unit

HOME = Path("/home/me/.kube")
DOCUMENT: dict[str, Any] = {
    "clusters": [{"name": "c", "cluster": {"server": "https://test.invalid"}}],
    "users": [{"name": "u", "user": {"token": "opaque"}}],
    "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("one", "two")],
    "current-context": "one",
}


def changed(**entries: Any) -> str:
    return json.dumps({**copy.deepcopy(DOCUMENT), **entries})


def given(user: dict[str, Any] | None = None, **cluster: Any) -> str:
    document = copy.deepcopy(DOCUMENT)
    document["clusters"][0]["cluster"] |= cluster
    document["users"][0]["user"] = document["users"][0]["user"] if user is None else user
    return json.dumps(document)


def refusal(text: str, folder: Path | None = HOME, context: str | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        complete(text, folder, context)
    return str(refused.value)


def token(ends: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"head.{claims}.seal"


def certificate(ends: datetime.datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        CertificateBuilder(Name([]), Name([]), key.public_key(), random_serial_number())
        .not_valid_before(ends - datetime.timedelta(days=1))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


RUN = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}
FILES = ("ca.crt", "me.crt", "me.key", "token", "login")


def test_it_means_the_same_from_anywhere(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o755)
    pair = {"client-certificate": "me.crt", "client-key": "me.key"}
    text = given({"tokenFile": "token", "exec": RUN, **pair}, **{"certificate-authority": "ca.crt"})
    known = json.loads(complete(text, tmp_path, None))
    cluster, user = known["clusters"][0]["cluster"], known["users"][0]["user"]
    inside = {key: base64.b64decode(part[key]).decode() for part in (cluster, user) for key in part if "-data" in key}
    assert inside == {
        "certificate-authority-data": "ca.crt", "client-certificate-data": "me.crt", "client-key-data": "me.key",
    }  # fmt: skip
    assert not {"certificate-authority", *pair} & {*cluster, *user}
    assert user["tokenFile"] == f"{tmp_path}/token", "somebody renews it there"
    assert user["exec"]["command"] == f"{tmp_path}/login"
    assert known["current-context"] == "one"


def test_what_lies_inside_wins_over_a_file() -> None:
    inside = {"certificate-authority": "/nowhere", "certificate-authority-data": "Q0E="}
    assert json.loads(complete(given(**inside), HOME, None))["clusters"][0]["cluster"] == {
        "server": "https://test.invalid", "certificate-authority-data": "Q0E=",
    }  # fmt: skip


def test_nothing_is_kept_but_the_one_context_with_its_cluster_and_its_user() -> None:
    others = {
        "clusters": [*DOCUMENT["clusters"], {"name": "d", "cluster": {"server": "https://other.invalid"}}],
        "users": [*DOCUMENT["users"], {"name": "v", "user": {"token": "of another cluster"}}],
        "contexts": [*DOCUMENT["contexts"], {"name": "three", "context": {"cluster": "d", "user": "v"}}],
    }
    known = json.loads(complete(changed(**others), HOME, "two"))
    assert known == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": DOCUMENT["clusters"],
        "users": DOCUMENT["users"],
        "contexts": DOCUMENT["contexts"][1:],
        "current-context": "two",
    }


NOTE = {"name": "context_info", "extension": {"last-update": "Sun, 29 Nov 2026 10:00:00 UTC", "version": "v1.37.0"}}


@pytest.mark.parametrize(
    "text",
    [
        changed(users=[*DOCUMENT["users"], {"name": "v", "user": {"token": "renewed"}}]),
        changed(users=[*DOCUMENT["users"], {"name": "v", "user": {"tokenFile": "/nowhere"}}]),
        changed(users=[*DOCUMENT["users"], {"name": "v", "user": None}, {"name": "v", "user": None}]),
        changed(contexts=[{"name": "three", "context": {"cluster": "gone"}}, *DOCUMENT["contexts"]]),
        changed(preferences={"colors": True}, extensions=[NOTE]),
        given(extensions=[NOTE]),
        json.dumps(dict(reversed(DOCUMENT.items()))),
        given() + "\n",
    ],
)
def test_a_change_elsewhere_changes_nothing(text: str) -> None:
    assert complete(text, HOME, "one") == complete(json.dumps(DOCUMENT), HOME, "one")


@pytest.mark.parametrize(
    ("text", "context", "said"),
    [
        (given(), "three", "ml-platform:cluster.context is 'three', and the kubeconfig has no such context"),
        (changed(**{"current-context": "gone"}), None, "current context is 'gone', which it does not have"),
        (changed(**{"current-context": ""}), None, "cluster.context is not set, and the kubeconfig has no current"),
        (changed(contexts=[{"name": "one", "context": {"user": "u"}}]), None, "Context 'one' of the kubeconfig names"),
        (changed(clusters=[{"name": "d"}]), None, "names the cluster 'c', which it does not have (there: d)"),
        (changed(users=[]), None, "names the user 'u', which it does not have (there: none)"),
    ],
)
def test_a_context_that_leads_nowhere_is_refused_with_those_there_are(
    text: str, context: str | None, said: str
) -> None:
    refused = refusal(text, context=context)
    assert said in refused
    assert "Its contexts: one" in refused
    assert "pulumi config set --path 'ml-platform:cluster.context' <context>" in refused


@pytest.mark.parametrize("kind", ["cluster", "user", "context"])
def test_a_name_that_stands_for_two_is_refused_with_the_command_that_lists_them(kind: str) -> None:
    said = refusal(changed(**{f"{kind}s": DOCUMENT[f"{kind}s"] * 2}))
    assert "2 times" in said
    assert f"`kubectl config get-{kind}s`" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "kubectl config view --raw --flatten --minify"),
        ("", "kubectl config view --raw"),
        ("clusters: []", "cluster.context is not set, and the kubeconfig has no current context. Its contexts: none"),
        ("clusters: one", "The kubeconfig's clusters are not a list of entries that each have a name"),
        ("clusters: [{cluster: {}}]", "The kubeconfig's clusters are not a list"),
        ("clusters: \0", "The kubeconfig is not YAML"),
        (given({"exec": {}}), "has no credentials"),
        (given({"exec": {"args": []}}), "exec names no command"),
        (given(**{"certificate-authority-data": "no base64!"}), "certificate-authority-data is not base64"),
        (given({"client-certificate-data": 5, "client-key-data": "QQ=="}), "client-certificate-data is not base64"),
        (given(**{"certificate-authority": "ca.crt"}), "certificate-authority is '/home/me/.kube/ca.crt', which can't"),
        (given({"tokenFile": "token"}), "tokenFile is '/home/me/.kube/token', which can't be read here"),
        (given({"auth-provider": {"name": "gcp"}}), "auth-provider 'gcp' was removed from Kubernetes"),
        (given(server=""), "cluster 'c' of the kubeconfig has no server"),
    ],
)
def test_what_leads_nowhere_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize(
    ("user", "cluster", "key"),
    [
        ({"tokenFile": "token"}, {}, "tokenFile"),
        ({"client-certificate": "me.crt", "client-key": "/me.key"}, {}, "client-certificate"),
        ({"exec": RUN}, {}, "exec command"),
        (None, {"certificate-authority": "ca.crt"}, "certificate-authority"),
    ],
)
def test_a_text_that_lies_in_no_file_has_no_paths_from_it(user: Any, cluster: dict[str, str], key: str) -> None:
    said = refusal(given(user, **cluster), folder=None)
    assert f"The kubeconfig's {key} is" in said
    assert "kubectl config view --raw --flatten --minify" in said


def test_a_broken_text_is_named_by_its_line_and_not_shown() -> None:
    said = refusal("users:\n- name: u\n  user: {token: hidden")
    assert "is not YAML" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({}, "The user of context 'one' of the kubeconfig has no credentials"),
        ({"token": ""}, "has no credentials"),
        ({"client-certificate": "u.crt", "client-key": "u.key"}, "/home/me/.kube/u.crt', which can't be read here"),
        ({"token": token((NOW - DAY).timestamp())}, f"ended on {NOW - DAY:%Y-%m-%d %H:%M} UTC. Log in"),
        ({"client-certificate-data": certificate(NOW - DAY)}, f"ended on {NOW - DAY:%Y-%m-%d %H:%M} UTC. Log in"),
    ],
)
def test_credentials_that_are_missing_or_over_are_refused(user: dict[str, Any], said: str) -> None:
    assert said in refusal(given(user))


@pytest.mark.parametrize(
    "user",
    [
        {"token": token((NOW + DAY).timestamp())},
        {"token": "one.two.three"},
        {"client-certificate-data": certificate(NOW + DAY)},
        {"username": "me", "password": "secret"},
    ],
)
def test_credentials_that_may_be_good_are_taken(user: dict[str, Any]) -> None:
    assert json.loads(complete(given(user), HOME, None))["users"][0]["user"] == user


def test_a_proxy_on_this_machine_needs_no_credentials() -> None:
    assert complete(given({}, server="http://127.0.0.1:8001"), HOME, None)


@pytest.mark.parametrize(
    ("hint", "way_out"), [("Get it from test.invalid.\n", "Get it from test.invalid."), (None, "Install it, or take")]
)
def test_a_command_that_is_not_installed_is_named_with_the_way_out(hint: str | None, way_out: str) -> None:
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": "acme-login", "installHint": hint}
    said = refusal(given({"exec": run}))
    assert "The command acme-login is not on PATH: the kubeconfig asks it for credentials" in said
    assert way_out in said
