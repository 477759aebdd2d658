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


def given(user: dict[str, Any] | None = None, **cluster: Any) -> str:
    document = copy.deepcopy(DOCUMENT)
    document["clusters"][0]["cluster"] |= cluster
    document["users"][0]["user"] = document["users"][0]["user"] if user is None else user
    return json.dumps(document)


def refusal(text: str, folder: Path = HOME, context: str | None = None) -> str:
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


def test_it_means_the_same_from_anywhere(tmp_path: Path) -> None:
    for name in ("ca.crt", "token", "login"):
        (tmp_path / name).touch(mode=0o755)
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}
    text = given({"tokenFile": "token", "exec": run}, **{"certificate-authority": "ca.crt"})
    found = json.loads(complete(text, tmp_path, None))
    assert found["clusters"][0]["cluster"]["certificate-authority"] == f"{tmp_path}/ca.crt"
    assert found["users"][0]["user"]["tokenFile"] == f"{tmp_path}/token"
    assert found["users"][0]["user"]["exec"]["command"] == f"{tmp_path}/login"
    assert found["current-context"] == "one"


def test_a_context_becomes_the_current_one() -> None:
    assert json.loads(complete(given(), HOME, "two"))["current-context"] == "two"


def test_an_unknown_context_is_refused_with_those_there_are() -> None:
    said = refusal(given(), context="three")
    assert "ml-platform:cluster.context is 'three'; the kubeconfig has one, two" in said
    assert "pulumi config set --path 'ml-platform:cluster.context' <context>" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "kubectl config view --raw --flatten --minify"),
        ("", "kubectl config view --raw"),
        ("clusters: []", "context is None; the kubeconfig has none"),
        (given({"auth-provider": {"name": "gcp"}}), "auth-provider 'gcp' was removed from Kubernetes"),
        (given().replace('"cluster": "c"', '"cluster": "d"'), "no cluster 'd' (there: c)"),
        (given(server=""), "cluster 'c' of the kubeconfig has no server"),
    ],
)
def test_what_leads_nowhere_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)


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
