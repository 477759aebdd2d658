"""Bad settings: every error has the key's path, the value, what is allowed, and the command that mends it."""

from __future__ import annotations

import copy
import re
import shlex
from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_platform.settings import ClusterSettings, OwnershipSettings, PlatformSettings, platform_model
from ml_workloads.settings import WorkloadsSettings

MODELS: dict[str, Any] = {
    "cluster": ClusterSettings,
    "platform": platform_model({}),
    "ownership": OwnershipSettings,
    "workloads": WorkloadsSettings,
}


UNKNOWN_KEYS = [
    ("cluster", {"source": "local", "kubeconfig": "x"}, "cluster.kubeconfig", "source, state_dir"),
    ("platform", {"gatway": {}}, "platform.gatway", "gateway, images, kubeflow, mlflow"),
    ("platform", {"gateway": {"port": 1}}, "platform.gateway.port", "bind, domain, host_port"),
    ("ownership", {"cost-center": "1"}, "ownership.cost-center", "cost_centre, owner, team"),
    ("platform", {"ray": {"version": "2"}}, "platform.ray.version", "allowed here: ."),
    ("platform", {"bundles": {"version": {}}}, "platform.bundles.version", "existing, mirror, registry, versions"),
]
JWT: dict[str, Any] = {"issuer": "https://issuer.test", "jwks": "{}"}
WRONG_TYPES: list[tuple[str, Any, str, str, str]] = [
    ("cluster", "local", "cluster", '"local"', "object"),
    ("platform", {"gateway": {"host_port": "8080"}}, "platform.gateway.host_port", '"8080"', "integer"),
    ("platform", {"object_store": {"buckets": "data"}}, "platform.object_store.buckets", '"data"', "array"),
    ("platform", {"mlflow": None}, "platform.mlflow", "null", "object"),
    ("platform", {"postgres": {"storage": 5}}, "platform.postgres.storage", "5", "string"),
]
OUT_OF_RANGE: list[tuple[str, Any, str, str, str]] = [
    ("cluster", {"source": "aws"}, "cluster.source", '"aws"', "eks, existing, gke, ionos, local, stack"),
    ("platform", {"gateway": {"host_port": 65536}}, "platform.gateway.host_port", "65536", "65535"),
    ("platform", {"mlflow": {"replicas": 0}}, "platform.mlflow.replicas", "0", "greater than or equal to 1"),
    ("platform", {"images": {"mlflow": "mlflow:3"}}, "platform.images.mlflow", '"mlflow:3"', "sha256"),
    ("platform", {"object_store": {"buckets": ["mlflow"]}}, "platform.object_store.buckets", "mlflow", "another one"),
    ("platform", {"object_store": {"buckets": []}}, "platform.object_store.buckets", "[]", "at least 1 item"),
    ("platform", {"object_store": {"storage": "much"}}, "platform.object_store.storage", '"much"', "pattern"),
    ("platform", {"gateway": {"ingress": "nginx"}}, "platform.gateway.ingress", '"nginx"', "'istio' or 'traefik'"),
    ("platform", {"serving": {"mode": "Serverless"}}, "serving.mode", '"Serverless"', "'knative' or 'standard'"),
    ("ownership", {"owner": "jane@example.com"}, "ownership.owner", '"jane@example.com"', "pattern"),
    ("platform", {"spark": {"operator": "apache"}}, "spark.operator", '"apache"', "'kubeflow' or 'stackable'"),
    ("platform", {"bundles": {"mirror": "mirror"}}, "platform.bundles.mirror", '"mirror"', "pattern"),
    ("platform", {"bundles": {"registry": "https://r.test/"}}, "bundles.registry", '"https://r.test/"', "pattern"),
    ("platform", {"size": "huge"}, "platform.size", '"huge"', "'small', 'standard' or 'large'"),
    ("platform", {"training": {}}, "platform.training.v2", "false", "set v2: true for TrainJobs, v1: true for PyTorch"),
    ("platform", {"training": {"v1": False}}, "platform.training.v2", "false", "PyTorchJobs, or remove it"),
    ("platform", {"bundles": {"versions": {"kserve": "9"}}}, "bundles.versions.kserve", '"9"', "choose one of: 0.20.0"),
    (
        "platform",
        {"bundles": {"versions": {"seldon": "1"}}},
        "bundles.versions.seldon",
        '"1"',
        "the catalog has: central-dashboard, cert",
    ),
    ("platform", {"bundles": {"existing": ["istio"]}}, "bundles.existing", '["istio"]', "istio-base, istio-gateway"),
    ("workloads", {"namespace": "My Models"}, "workloads.namespace", '"My Models"', "pattern"),
]


PLAIN = {"issuer": "none"}
ACME: dict[str, Any] = {"email": "ml@example.com"}
GOOGLE = {"provider": "google", "project": "p"}


def acme(hosts: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    """Settings with certificates of a public authority; fields of the gateway and of that."""
    of_gateway = {key: fields.pop(key) for key in ("domain", "access", "host_port", "bind") if key in fields}
    tls = {"issuer": "acme", "acme": {**ACME, **fields}, **({} if hosts is None else {"hosts": hosts})}
    tls |= {"host_port": 443} if "host_port" in of_gateway else {}
    return {"certificates": "cert-manager", "gateway": {"domain": "ml.example.com", **of_gateway, "tls": tls}}


IMPOSSIBLE: list[tuple[Any, str, str, str]] = [
    ({"gateway": {"jwt": JWT}}, "gateway.ingress", '"traefik"', "set istio, or remove jwt"),
    ({"gateway": {"tls": {}, "host_port": 8080}}, "gateway.tls.host_port", "null", "has both host_port and"),
    ({"gateway": {"bind": "0.0.0.0", "host_port": 80}}, "gateway.tls", "null", "or set tls.issuer: none"),
    ({"gateway": {"tls": {"host_port": 443}}}, "gateway.tls.host_port", "443", "a load balancer neither"),
    ({"gateway": {"access": ["10.0.0.0/8"], "host_port": 80}}, "gateway.access", '["10.0.0.0/8"]', "leaves that out"),
    ({"gateway": {"tls": {"issuer": "letsencrypt"}}}, "gateway.tls.issuer", '"letsencrypt"', "'acme', 'given'"),
    ({"gateway": {"tls": {"issuer": "acme"}}}, "gateway.tls.acme", "null", "it goes with issuer: acme"),
    ({"gateway": {"tls": {"acme": ACME}}}, "gateway.tls.acme", '{"email": "ml@example.com"}', "issuer is self-signed"),
    ({"gateway": {"tls": {"issuer": "existing"}}}, "gateway.tls.cluster_issuer", "null", "with issuer: existing"),
    (acme(server="buypass"), "gateway.tls.acme.server", '"buypass"', "production or staging"),
    (acme(email="me"), "gateway.tls.acme.email", '"me"', "pattern"),
    (
        acme(dns01={"provider": "ionos"}),
        "gateway.tls.acme.dns01.provider",
        '"ionos"',
        "cloudflare, google, route53, webhook",
    ),
    (acme(dns01={}), "gateway.tls.acme.dns01.provider", "missing", "cloudflare, google, route53, webhook"),
    (acme(), "gateway.tls.hosts", '["*.models"]', "set tls.acme.dns01, or name each host that you serve"),
    (acme(domain="localhost"), "gateway.domain", '"localhost"', "or tls.issuer: self-signed"),
    (acme(domain="ml.internal"), "gateway.domain", '"ml.internal"', "set a domain of your own"),
    (acme(domain="203.0.113.7"), "gateway.domain", '"203.0.113.7"', "set a domain of your own"),
    (acme(dns01=GOOGLE, domain="203.0.113.7.sslip.io"), "gateway.domain", '"203.0.113.7.sslip.io"', "not yours"),
    (acme(hosts=[], access=["10.0.0.0/8"]), "gateway.access", '["10.0.0.0/8"]', "access[0]' 0.0.0.0/0, or set"),
    (acme(hosts=[]), "gateway.access", '["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]', "or set tls.acme.dns01"),
    (acme(hosts=[], host_port=80, bind="::"), "gateway.bind", '"::"', "platform.gateway.access[0]' 0.0.0.0/0"),
    (
        {"gateway": {"host_port": 80, "bind": "192.0.2.7", "tls": PLAIN}},
        "gateway.bind",
        '"192.0.2.7"',
        "without a login",
    ),
    (acme(hosts=[], host_port=8080, bind="::"), "gateway.host_port", "8080", "set 80, or set tls.acme.dns01"),
    (acme(hosts=[], host_port=80), "gateway.bind", '"127.0.0.1"', "an address that can be reached"),
    (
        {"gateway": acme(dns01=GOOGLE)["gateway"], "certificates": "own"},
        "gateway.tls.issuer",
        '"acme"',
        "cert-manager does it, and is not installed",
    ),
    ({"gateway": {"ingress": "istio", "jwt": {**JWT, "jwks": None}}}, "gateway.jwt.jwks", "null", "exactly one of"),
    ({"serving": {"mode": "standard", "autoscaling": {}}}, "serving.autoscaling", "{}", "remove it, or set mode"),
]


@pytest.mark.parametrize(("value", "path", "given", "way_out"), IMPOSSIBLE)
def test_settings_that_do_not_go_together_are_refused_with_the_way_out(
    value: Any, path: str, given: str, way_out: str
) -> None:
    message = refusal("platform", value)
    assert f"ml-platform:platform.{path} is {given}: " in message
    assert way_out in message


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"gateway": {"access": ["10.0.0.0/8"], "host_port": 80}}, "gateway.access"),
        ({"gateway": {"tls": {"host_port": 443}}}, "gateway.tls.host_port"),
        ({"serving": {"mode": "standard", "autoscaling": {}}}, "serving.autoscaling"),
        ({"object_store": {"source": "own", "region": "eu"}}, "object_store.region"),
    ],
)
def test_what_has_to_go_is_removed_by_the_command_that_is_printed(value: dict[str, Any], path: str) -> None:
    message = refusal("platform", value)
    assert f"pulumi config rm --path 'ml-platform:platform.{path}'" in message
    *steps, last = path.split(".")
    mended = copy.deepcopy(value)
    block: Any = mended
    for step in steps:
        block = block[step]
    del block[last]
    validate("platform", mended, PlatformSettings)


def written(value: str, kind: str | None) -> Any:
    """What `pulumi config set --path [--type kind] <key> value` writes; 1.0 too comes out of a stack's file as 1."""
    if kind == "float":
        return float(value)
    whole = kind is None and re.fullmatch(r"-?\d+", value)
    return int(value) if whole else {"true": True, "false": False}.get(value, value) if kind is None else value


FRACTION: dict[str, Any] = {"uri": "sklearn:iris", "test": {"fraction": "0.9"}}
COMMANDS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("ownership", {"cost_centre": 4711}, ["set --path 'ml-platform:ownership.cost_centre' --type string 4711"]),
    ("ownership", {"owner": True}, ["set --path 'ml-platform:ownership.owner' --type string true"]),
    ("workloads", {"quota": {"pods": "7"}}, ["set --path 'ml-platform:workloads.quota.pods' 7"]),
    ("workloads", {"quota": {"memory": 7}}, ["set --path 'ml-platform:workloads.quota.memory' --type string 7Gi"]),
    (
        "workloads",
        {"data": {"a": FRACTION}},
        ["set --path 'ml-platform:workloads.data.a.test.fraction' --type float 0.9"],
    ),
    (
        "workloads",
        {"models": {"a": {"gate": {"at_least": "0.9"}}}},
        ["set --path 'ml-platform:workloads.models.a.gate.at_least' --type float 0.9"],
    ),
    (
        "workloads",
        {"models": {"a": {"gate": {"min_rows": 0.5}}}},
        ["set --path 'ml-platform:workloads.models.a.gate.min_rows' 7"],
    ),
    (
        "platform",
        {"object_store": {"buckets": "data"}},
        ["rm --path 'ml-platform:platform.object_store.buckets'",
         "set --path 'ml-platform:platform.object_store.buckets[0]' data"],
    ),
    (
        "platform",
        {"images": "data"},
        ["rm --path 'ml-platform:platform.images'",
         "set --path 'ml-platform:platform.images.<key>' x@sha256:" + "0" * 64],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "commands"), COMMANDS, ids=[each[2][-1] for each in COMMANDS])
def test_the_commands_that_are_printed_mend_it(key: str, value: dict[str, Any], commands: list[str]) -> None:
    *before, last = commands
    printed = "\n".join([*before, f"{last.rpartition(' ')[0]} <value>"]).replace("\n", "\n  pulumi config ")
    assert refusal(key, value).endswith(f"with:\n  pulumi config {printed}")
    words = shlex.split(last)
    kind = words[words.index("--type") + 1] if "--type" in words else None
    steps = words[2].replace("[0]", ".[0]").removeprefix(f"ml-platform:{key}.").split(".")
    given: Any = written(words[-1], kind)
    for step in reversed(steps):
        given = [given] if step == "[0]" else {step.strip("<>"): given}
    validate(key, merged(value, given), MODELS[key])


def merged(value: Any, change: Any) -> Any:
    """The value with that change of it."""
    if not isinstance(value, dict) or not isinstance(change, dict):
        return change
    return {**value, **{key: merged(value.get(key), each) for key, each in change.items()}}


@pytest.mark.parametrize(("key", "value", "path", "allowed"), UNKNOWN_KEYS)
def test_an_unknown_key_is_refused_with_those_that_are_known(key: str, value: Any, path: str, allowed: str) -> None:
    message = refusal(key, value)
    assert f"{path} is no setting; allowed here: " in message
    assert allowed in message
    assert f"pulumi config rm --path 'ml-platform:{path}'" in message


@pytest.mark.parametrize(("key", "value", "path", "given", "allowed"), WRONG_TYPES + OUT_OF_RANGE)
def test_a_bad_value_is_refused_with_what_is_allowed(key: str, value: Any, path: str, given: str, allowed: str) -> None:
    message = refusal(key, value)
    assert path in message
    assert given in message
    assert allowed in message
    assert re.search("pulumi config (set|rm) --path 'ml-platform:", message)
    assert "Traceback" not in message


def test_a_missing_value_is_named() -> None:
    message = refusal("workloads", {"serving": {"iris": {}}})
    assert "workloads.serving.iris.model is missing: field required" in message
    assert "ml-platform:cluster.source is missing: it must be one of: eks, existing, gke" in refusal("cluster", {})


def test_all_errors_are_shown_at_once() -> None:
    message = refusal("platform", {"gatway": 1, "gateway": {"host_port": 0}, "postgres": {"storage": 1}})
    assert message.count("pulumi config") == 3


@pytest.mark.parametrize("key", ["platform", "workloads"])
def test_an_empty_block_is_one_with_all_defaults(key: str) -> None:
    assert validate(key, {}, MODELS[key])


def test_settings_are_frozen() -> None:
    settings = validate("platform", {}, PlatformSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.gateway.domain = "other"  # type: ignore[misc]


def refusal(key: str, value: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        validate(key, value, MODELS[key])
    return str(refused.value)
