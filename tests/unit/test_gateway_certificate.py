"""Who issues the gateway's certificate, for what, and what a person has to do so that names lead to it."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.bundles.errors import BundleError
from ml_platform.components import address
from ml_platform.configuration import SettingsError
from support.gateway_tree import declare

DOMAIN = {"domain": "ml.example.com"}
ACME: dict[str, Any] = {"email": "ml@example.com"}
OPEN = {"access": ["0.0.0.0/0"]}
"""As an authority wants it that asks from anywhere."""
CERT_MANAGER = {"certificates": "cert-manager"}
NAMES = ["ml.example.com", "mlflow.ml.example.com", "s3.ml.example.com"]
KIND = "kubernetes:cert-manager.io/v1:"
ISSUER, CLUSTER_ISSUER, ORDER = f"{KIND}Issuer", f"{KIND}ClusterIssuer", f"{KIND}Certificate"
TOKEN = {"name": "ml-platform-acme-dns", "key": "token"}
PROVIDERS = [
    ({"provider": "google", "project": "p"}, {"cloudDNS": {"project": "p"}}),
    ({"provider": "route53", "region": "eu-central-1"}, {"route53": {"region": "eu-central-1"}}),
    (
        {"provider": "cloudflare"},
        {"cloudflare": {"apiTokenSecretRef": TOKEN}},
    ),
    (
        {"provider": "webhook", "group": "acme.test", "solver": "test", "config": {"zone": "z"}},
        {"webhook": {"groupName": "acme.test", "solverName": "test", "config": {"zone": "z"}}},
    ),
]


def acme(**fields: Any) -> dict[str, Any]:
    hosts = fields.pop("hosts", ["*.models"])
    return {**DOMAIN, "tls": {"issuer": "acme", "hosts": hosts, "acme": {**ACME, **fields}}}


def test_by_default_the_stack_issues_it_and_says_whom_to_trust() -> None:
    found = declare(DOMAIN)
    assert found.inputs("WebhookCertificate", "gateway-tls")["dns_names"] == [*NAMES, "*.models.ml.example.com"]
    assert found.exports["certificate_authority"]


@pytest.mark.mirror
def test_where_cert_manager_is_it_is_the_authority() -> None:
    found = declare(DOMAIN, **CERT_MANAGER)
    assert found.inputs(ORDER, "gateway-tls")["spec"]["issuerRef"]["name"] == "gateway-authority"
    assert found.inputs(ISSUER, "gateway-authority")["spec"] == {"ca": {"secretName": "gateway-authority"}}
    assert found.inputs(ORDER, "gateway-authority")["spec"]["isCA"] is True
    assert found.inputs(ISSUER, "gateway-root")["spec"] == {"selfSigned": {}}
    assert any("Gate" in urn for urn in found.find(ISSUER, "gateway-root").dependencies), "its webhook answers first"


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("server", "directory"), [("staging", "https://acme-staging-v02"), ("https://ca.test/d", "https://ca.test/d")]
)
def test_a_public_authority_is_asked_for_one_certificate_of_all_hosts(server: str, directory: str) -> None:
    found = declare(acme(server=server, dns01=PROVIDERS[0][0]), **CERT_MANAGER)
    spec = found.inputs(CLUSTER_ISSUER, "ml-platform-acme")["spec"]["acme"]
    assert spec["server"].startswith(directory)
    order = found.inputs(ORDER, "gateway-tls")["spec"]
    assert order["dnsNames"] == [*NAMES, "*.models.ml.example.com"]
    assert order["issuerRef"] == {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "ml-platform-acme"}


@pytest.mark.mirror
@pytest.mark.parametrize(("dns01", "solver"), PROVIDERS, ids=lambda each: each.get("provider", ""))
def test_a_star_is_proven_in_the_zone(dns01: dict[str, Any], solver: dict[str, Any]) -> None:
    found = declare(acme(dns01=dns01), {"dns_token": "a token"}, **CERT_MANAGER)
    assert found.inputs(CLUSTER_ISSUER, "ml-platform-acme")["spec"]["acme"]["solvers"] == [{"dns01": solver}]


@pytest.mark.mirror
def test_without_a_zone_the_gateway_answers_the_authority_on_its_plain_port() -> None:
    found = declare({**acme(hosts=["iris.models"]), **OPEN}, **CERT_MANAGER)
    (solver,) = found.inputs(CLUSTER_ISSUER, "ml-platform-acme")["spec"]["acme"]["solvers"]
    template = solver["http01"]["ingress"]["ingressTemplate"]["metadata"]["annotations"]
    assert template == {"traefik.ingress.kubernetes.io/router.entrypoints": "web"}


@pytest.mark.mirror
def test_behind_istio_it_answers_by_a_route_beside_the_redirect() -> None:
    standard = {"bundles": {}, "serving": {"mode": "standard"}}
    found = declare({**acme(hosts=["iris.models"]), **OPEN, "ingress": "istio"}, **CERT_MANAGER, **standard)
    (solver,) = found.inputs(CLUSTER_ISSUER, "ml-platform-acme")["spec"]["acme"]["solvers"]
    (parent,) = solver["http01"]["gatewayHTTPRoute"]["parentRefs"]
    assert parent == {"name": "gateway", "namespace": "istio-system", "sectionName": "http"}
    controller = found.inputs("Deployment", "cert-manager-cert-manager")["spec"]["template"]["spec"]["containers"][0]
    assert "--enable-gateway-api=true" in controller["args"]


@pytest.mark.mirror
def test_the_token_of_a_zone_is_a_secret_of_the_stack_where_cert_manager_looks_for_it() -> None:
    settings = acme(dns01={"provider": "cloudflare"})
    found = declare(settings, {"dns_token": "a token"}, **CERT_MANAGER)
    assert found.inputs("Secret", "ml-platform-acme-dns")["metadata"]["namespace"] == "cert-manager"
    with pytest.raises(SettingsError, match="pulumi config set --secret ml-platform:dns_token "):
        declare(settings, **CERT_MANAGER)


def test_a_given_one_comes_from_the_secrets_of_the_stack() -> None:
    settings = {**DOMAIN, "tls": {"issuer": "given"}}
    found = declare(settings, {"tls_certificate": "CERTIFICATE", "tls_key": "KEY"})
    assert found.inputs("Secret", "gateway-tls")["stringData"] == "[secret]"
    with pytest.raises(SettingsError, match="pulumi config set --secret ml-platform:tls_certificate "):
        declare(settings)


@pytest.mark.parametrize(
    ("given", "kind"), [("192.0.2.1", "A"), ("2001:db8::1", "AAAA"), ("gateway.elb.example.com", "CNAME")]
)
def test_two_records_lead_all_hosts_to_the_gateway(given: str, kind: str) -> None:
    assert address.records("ml.test", given) == [
        {"name": "ml.test", "type": kind, "value": given},
        {"name": "*.ml.test", "type": kind, "value": given},
    ]


def test_one_machine_needs_records_only_for_a_name_of_its_own() -> None:
    assert declare({"host_port": 8080}).exports["dns"] == []
    assert declare({"host_port": 8080, "domain": "ml.test"}).exports["dns"][0]["value"] == "127.0.0.1"


PROPS = {"namespace": "gateway", "service": "traefik", "kubeconfig": "{}", "address": None}


class Cluster:
    node: dict[str, Any] | None = None

    def __init__(self, ingress: list[dict[str, str]] | None, events: list[dict[str, Any]]) -> None:
        self._ingress, self._events = ingress, events

    def find(self, *_names: str) -> dict[str, Any] | None:
        return None if self._ingress is None else {"status": {"loadBalancer": {"ingress": self._ingress}}}

    def request(self, *_: str, **__: Any) -> dict[str, Any]:
        return {"items": [self.node] if self.node else []}

    def list(self, *_names: str, fields: str) -> list[dict[str, Any]]:
        assert fields == "involvedObject.name=traefik"
        return self._events


def test_the_address_is_what_the_load_balancer_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address.Client, "from_kubeconfig", lambda *_, **__: Cluster([{"hostname": "lb.test"}], []))
    assert address._Provider().create(PROPS).outs["address"] == "lb.test"


@pytest.mark.parametrize(
    ("ingress", "found"),
    [([{"ip": "192.0.2.2"}], ("id", "192.0.2.2")), ([], ("id", "192.0.2.1")), (None, ("", None))],
    ids=["another address", "none at the moment", "no Service"],
)
def test_a_refresh_finds_the_address_of_now_and_drops_that_of_a_service_that_is_gone(
    ingress: Any, found: tuple[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address.Client, "from_kubeconfig", lambda *_, **__: Cluster(ingress, []))
    read = address._Provider().read("id", {**PROPS, "address": "192.0.2.1"})
    assert (read.id, (read.outs or {}).get("address")) == found


def test_a_service_that_is_not_there_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address.Client, "from_kubeconfig", lambda *_, **__: Cluster(None, []))
    with pytest.raises(
        BundleError, match=r"Service gateway/traefik is not there.*`pulumi up --refresh` makes it again"
    ):
        address._Provider().create(PROPS)


def test_a_new_kubeconfig_is_kept_for_the_next_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address.Client, "from_kubeconfig", lambda *_, **__: Cluster([{"ip": "192.0.2.1"}], []))
    provider, olds, news = address._Provider(), {**PROPS, "address": "192.0.2.1"}, {**PROPS, "kubeconfig": "renewed"}
    assert provider.diff("id", olds, news).changes
    assert provider.update("id", olds, news).outs == {**news, "address": "192.0.2.1"}
    assert not provider.diff("id", olds, PROPS).changes


@pytest.mark.parametrize(
    ("events", "said"),
    [([], "Nobody on this cluster tries"), ([{"message": "quota exceeded"}], "Its last event: quota exceeded")],
)
def test_a_load_balancer_that_never_comes_is_explained(
    events: list[dict[str, Any]], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address.Client, "from_kubeconfig", lambda *_, **__: Cluster([], events))
    monkeypatch.setattr(address, "DEADLINE", -1.0)
    with pytest.raises(BundleError, match=said) as refused:
        address._Provider().create(PROPS)
    assert "pulumi config set --path 'ml-platform:platform.gateway.host_port' 8080" in str(refused.value)


def test_where_the_load_balancer_is_a_program_of_the_users_own_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster([], [])
    cluster.node = {"metadata": {"name": "ml-control-plane"}, "spec": {"providerID": "kind://docker/ml/one"}}
    monkeypatch.setattr(address.Client, "from_kubeconfig", lambda *_, **__: cluster)
    monkeypatch.setattr(address, "DEADLINE", -1.0)
    with pytest.raises(BundleError, match="let `cloud-provider-kind` run in another terminal"):
        address._Provider().create(PROPS)
