"""The gateway, whichever it is: how routes are made, who may pass, and what waits for what."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from ml_platform import asking
from ml_platform.bundles.transforms import annotated, compose
from ml_platform.clusters.cluster import LoadBalancer
from ml_platform.components import access, istio, leftovers
from ml_platform.components.gateway import url
from ml_platform.components.traefik_flags import flags
from ml_platform.configuration import validate
from ml_platform.settings import GatewaySettings
from support import recorder, stacks
from support.gateway_tree import declare
from support.made_up import thing

POLICY, TOKENS = "AuthorizationPolicy", "RequestAuthentication"
ISTIO = {"ingress": "istio"}
JWT = {"issuer": "https://issuer.test", "jwks": "{}"}


def gateway(**fields: Any) -> GatewaySettings:
    return validate("platform.gateway", fields, GatewaySettings)


def policies(**fields: Any) -> dict[str, dict[str, Any]]:
    return access.policies(gateway(**ISTIO, **fields), {"istio": "ingressgateway"}, 80, {})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "https://{host}.localhost"),
        ({"domain": "ml.test"}, "https://{host}.ml.test"),
        ({"domain": "ml.test", "tls": {"issuer": "none"}}, "http://{host}.ml.test"),
        ({"host_port": 8080}, "http://{host}.localhost:8080"),
        ({"host_port": 80, "tls": {"host_port": 8443}}, "https://{host}.localhost:8443"),
    ],
)
def test_a_url_has_the_port_and_the_scheme_that_are_open(fields: dict[str, Any], expected: str) -> None:
    assert url(gateway(**fields)) == expected


def test_without_tokens_everybody_passes() -> None:
    assert policies() == {}


def test_who_has_no_token_is_refused_and_not_only_who_has_a_bad_one() -> None:
    found = policies(jwt=JWT, tls={"issuer": "none"})
    assert found[POLICY]["action"] == "DENY"
    assert found[POLICY]["rules"] == [{"from": [{"source": {"notRequestPrincipals": ["*"]}}]}]
    assert found[TOKENS]["jwtRules"] == [
        {"issuer": "https://issuer.test", "jwks": "{}", "forwardOriginalToken": True},
    ]


def test_what_is_public_needs_no_token_on_any_port() -> None:
    found = policies(jwt={**JWT, "public_hosts": ["s3.test"], "public_paths": ["/health"]}, tls={})
    (rule,) = found[POLICY]["rules"]
    assert rule["to"] == [
        {"operation": {"notHosts": ["s3.test", "s3.test:*"], "notPaths": ["/health"], "notPorts": ["80"]}}
    ]


def test_keys_may_be_published_and_audiences_asked_for() -> None:
    published = {"issuer": "i", "jwks_uri": "https://issuer.test/keys", "audiences": ["ml"]}
    (rule,) = policies(jwt=published)[TOKENS]["jwtRules"]
    assert rule["jwksUri"] == "https://issuer.test/keys"
    assert rule["audiences"] == ["ml"]
    assert "jwks" not in rule


@pytest.fixture
def tree(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> recorder.Recorder:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    return stacks.record(request.param)


def of(stack: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("tree", [pytest.param(stack, marks=pytest.mark.mirror)], indirect=True)


@of("istio")
def test_behind_istio_a_route_attaches_to_the_one_entry(tree: recorder.Recorder) -> None:
    for name, hosts in (("s3", ["s3.localhost", "localhost"]), ("mlflow", ["mlflow.localhost"])):
        spec = tree.inputs("HTTPRoute", name)["spec"]
        assert spec["parentRefs"] == [{"name": "gateway", "namespace": "istio-system"}]
        assert spec["hostnames"] == hosts, name
    assert tree.find("HTTPRoute", "mlflow").dependencies


@of("istio")
def test_nobody_passes_before_tokens_are_asked_for(tree: recorder.Recorder) -> None:
    before = {urn.rpartition("::")[0].rpartition(":")[2] for urn in tree.find("Gateway", "istio-gateway").dependencies}
    assert {POLICY, TOKENS, "Secret", "GatewayClass"} <= before


@of("istio")
def test_plain_http_is_redirected_and_nothing_else_attaches_to_it(tree: recorder.Recorder) -> None:
    plain, secure = tree.inputs("Gateway", "istio-gateway")["spec"]["listeners"]
    assert (plain["port"], plain["allowedRoutes"]["namespaces"]["from"]) == (80, "Same")
    assert (secure["port"], secure["allowedRoutes"]["namespaces"]["from"]) == (443, "All")
    (rule,) = tree.inputs("HTTPRoute", "istio-redirect")["spec"]["rules"]
    assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "port": 8443, "statusCode": 301}


@of("istio")
def test_the_gateway_of_one_machine_is_one_pod_on_the_ports_of_the_node(tree: recorder.Recorder) -> None:
    name = "istio-gateway-istio-ingressgateway"
    (container,) = tree.inputs("Deployment", name)["spec"]["template"]["spec"]["containers"]
    published = {each["hostPort"]: each["hostIP"] for each in container["ports"] if "hostPort" in each}
    assert published == {8080: "127.0.0.1", 8443: "127.0.0.1"}
    assert container["image"] == "auto"
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert tree.inputs("Service", name)["spec"]["type"] == "ClusterIP"
    assert tree.inputs("HorizontalPodAutoscaler", name)["spec"]["maxReplicas"] == 1


@of("everything")
def test_beside_knative_the_entry_is_for_the_hosts_of_the_platform(tree: recorder.Recorder) -> None:
    listeners = tree.inputs("Gateway", "istio-gateway")["spec"]["listeners"]
    hosts = ["ml.example.com", "mlflow.ml.example.com", "s3.ml.example.com"]
    assert [each.get("hostname") for each in listeners] == [None, *hosts]
    assert tree.inputs("HTTPRoute", "mlflow")["spec"]["hostnames"] == ["mlflow.ml.example.com"]
    plain, secure = tree.inputs("Gateway", "net-istio-knative-ingress-gateway")["spec"]["servers"]
    assert plain["tls"] == {"httpsRedirect": True}
    assert secure["tls"]["credentialName"] == tree.inputs("Certificate", "gateway-tls")["spec"]["secretName"]


def test_behind_traefik_every_route_is_https_with_the_one_certificate() -> None:
    found = declare({"domain": "ml.test"})
    (certificate,) = found.inputs("Ingress", "gateway-certificate")["spec"]["tls"]
    assert certificate["secretName"] == found.inputs("Secret", "gateway-tls")["metadata"]["name"]
    assert certificate["hosts"] == ["ml.test", "mlflow.ml.test", "s3.ml.test", "*.models.ml.test"]
    assert found.inputs("Ingress", "mlflow")["spec"]["tls"] == [{"hosts": ["mlflow.ml.test"]}]
    ports = found.inputs("Service", "gateway-traefik")["spec"]["ports"]
    assert [(each["port"], each["targetPort"]) for each in ports] == [(80, 8000), (443, 8443)]


@pytest.mark.parametrize(("settings", "port"), [({}, 443), ({"host_port": 8080, "tls": {"host_port": 9443}}, 9443)])
def test_traefik_redirects_plain_http_after_whatever_else_is_answered_there(
    settings: dict[str, Any], port: int
) -> None:
    arguments = flags(gateway(**settings), "knative", "gateway", ("public", "private"), "traefik", metrics=False)
    redirect = "--entrypoints.web.http.redirections.entrypoint"
    assert {f"{redirect}.to=:{port}", f"{redirect}.scheme=https", f"{redirect}.priority=1"} < set(arguments)
    assert "--entrypoints.websecure.asdefault=true" in arguments
    assert "--providers.knative.publicentrypoints=websecure" in arguments


def test_on_loopback_there_is_plain_http_and_no_certificate() -> None:
    found = declare({"host_port": 8080})
    assert "tls" not in found.inputs("Ingress", "mlflow")["spec"]
    assert not [each for each in found.requests.values() if each.name == "gateway-tls"]


@pytest.mark.parametrize(
    ("settings", "networks"),
    [
        ({}, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]),
        ({"access": ["203.0.113.0/24"]}, ["203.0.113.0/24"]),
        ({"access": ["0.0.0.0/0"]}, ["0.0.0.0/0"]),
    ],
)
def test_everybody_may_connect_where_the_settings_say_so_and_nowhere_else(
    settings: dict[str, Any], networks: list[str]
) -> None:
    found = declare(settings)
    assert found.inputs("Service", "gateway-traefik")["spec"]["loadBalancerSourceRanges"] == networks
    assert "loadBalancerSourceRanges" not in found.inputs("Service", "gateway-traefik-internal")["spec"]


@pytest.mark.parametrize(("networks", "families"), [(["10.0.0.0/8"], ["IPv4"]), (["0.0.0.0/0"], ["IPv4"]), ([], None)])
def test_where_networks_are_named_no_address_of_the_other_family_lets_everybody_in(
    networks: list[str], families: list[str] | None
) -> None:
    spec = LoadBalancer(kind="any").spec(networks)
    assert spec.get("ipFamilies") == families
    assert spec.get("ipFamilyPolicy") == (families and "SingleStack")


@pytest.mark.mirror
def test_behind_istio_the_same_networks_may_connect() -> None:
    spec = declare(ISTIO).inputs("Service", "istio-gateway-istio-ingressgateway")["spec"]
    closed = LoadBalancer(kind="any").spec(gateway(**ISTIO).networks)
    assert closed.items() <= spec.items()


@pytest.mark.parametrize(("jwt", "networks"), [(None, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")), (JWT, ())])
def test_who_shows_a_token_may_come_from_anywhere(jwt: dict[str, str] | None, networks: tuple[str, ...]) -> None:
    assert gateway(**ISTIO, jwt=jwt).networks == networks


@pytest.mark.parametrize("fields", [{"jwt": JWT}, {"access": ["0.0.0.0/0"]}, {"bind": "127.0.0.2"}])
def test_a_port_of_the_node_is_closed_or_asks_for_a_token_or_everybodys_by_word(fields: dict[str, Any]) -> None:
    assert gateway(**ISTIO, host_port=80, **{"bind": "192.0.2.7", "tls": {"issuer": "none"}, **fields}).host_port == 80


@pytest.mark.mirror
def test_a_control_plane_that_somebody_else_runs_keeps_its_class_and_its_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    found = stacks.record("istio", {"bundles": {"existing": ["istio-base", "istiod"]}})
    types = {request.type.rpartition(":")[2] for request in found.requests.values()}
    assert not {"GatewayClass", "Leftovers"} & types
    assert found.find("Gateway", "istio-gateway")


@pytest.mark.parametrize("known_later", [False, True], ids=["plain", "of another stack"])
@pytest.mark.parametrize(("given", "expected"), [({"b": "2"}, {"a": "1", "b": "2"}), ({}, {"a": "1"})])
def test_the_release_keeps_its_annotations_beside_those_that_a_load_balancer_is_told(
    given: dict[str, str], expected: dict[str, str], known_later: bool
) -> None:
    service = thing("Service", "istio-system/istio-ingressgateway", spec={"type": "LoadBalancer"})
    service["metadata"]["annotations"] = {"a": "1"}

    def program() -> None:
        balancer = LoadBalancer(kind="any", annotations=pulumi.Output.from_input(given) if known_later else given)
        part: Any = SimpleNamespace(
            _settings=gateway(**ISTIO), site=SimpleNamespace(cluster=SimpleNamespace(load_balancer=balancer))
        )
        pulumi.export("annotations", compose(istio.Istio._exposure(part))(service)["metadata"]["annotations"])

    assert recorder.record(program, config={}).exports["annotations"] == expected


def test_a_service_without_annotations_gets_none_where_there_is_nothing_to_tell() -> None:
    service = thing("Service", "istio-system/istio-ingressgateway")
    change = annotated("Service", "istio-ingressgateway", LoadBalancer(kind="any").annotated)
    assert change(service) == service


def test_what_a_controller_left_in_other_namespaces_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[tuple[str, str]] = []

    class Cluster:
        def list(self, *_kind: str, labels: str) -> list[dict[str, Any]]:
            assert labels == "istio.io/config=true"
            return [{"metadata": {"name": "root", "namespace": name}} for name in ("default", "kube-system")]

        def delete(self, _version: str, _kind: str, name: str, namespace: str) -> None:
            gone.append((namespace, name))

    monkeypatch.setattr(asking.Client, "from_kubeconfig", lambda *_, **__: Cluster())
    leftovers._Provider().delete("", {"labels": "istio.io/config=true", "kubeconfig": "{}"})
    assert gone == [("default", "root"), ("kube-system", "root")]
