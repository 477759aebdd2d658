"""Metrics as they are declared: who is asked, what is drawn and told, and who may reach the server."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest
from ml_local import paths
from ml_platform.configuration import SettingsError
from ml_platform.metrics import alerts, dashboards, scrape
from ml_platform.metrics.targets import targets
from ml_platform.platform import Platform, PlatformArgs
from ml_platform.tenancy import Tenancy
from support import chosen, recorder

OWN: dict[str, Any] = {"monitoring": {}}
EXISTING: dict[str, Any] = {
    "monitoring": {"source": "existing", "namespace": "observability", "labels": {"release": "stack"}}
}
LOCAL: dict[str, Any] = {"bundles": chosen.LEAN, "gateway": {"domain": "localhost", "host_port": 8080}}
KNATIVE = [f"knative-{part}" for part in ("activator", "autoscaler", "controller", "webhook")]
STANDARD: dict[str, Any] = {"serving": {"mode": "standard"}}


def declared(**platform: Any) -> recorder.Recorder:
    def program() -> None:
        settings = chosen.platform(**LOCAL, **platform)
        images = {name: f"registry.test/{name}@sha256:{'0' * 64}" for name in chosen.all_images(settings)}
        args = PlatformArgs(cluster=chosen.cluster(images), settings=settings, tenancy=Tenancy())
        for name, value in Platform("platform", args).handle.exports.items():
            pulumi.export(name, value)

    return recorder.record(program)


@pytest.fixture(scope="module")
def own() -> recorder.Recorder:
    return declared(**OWN)


def files(found: recorder.Recorder) -> dict[str, Any]:
    data = found.inputs("kubernetes:core/v1:ConfigMap", "metrics")["data"]
    return {name: json.loads(text) for name, text in data.items()}


def jobs(content: dict[str, Any]) -> dict[str, Any]:
    return {each["job_name"]: each for each in content["scrape.yml"]["scrape_configs"]}


def test_without_the_block_nothing_is_asked() -> None:
    found = declared()
    assert not [each for each in found.requests if "onitoring" in each]
    args = found.inputs("Deployment", "gateway-traefik")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert not [flag for flag in args if "metrics" in flag]
    assert "dashboards_url" not in found.exports


def test_the_page_is_an_output(own: recorder.Recorder) -> None:
    assert own.exports["dashboards_url"] == "http://metrics.localhost:8080/vmui/#/dashboards"


def test_each_part_of_the_platform_is_asked(own: recorder.Recorder) -> None:
    rest = ["models", "queues", "kubelet", "nodes", "api-server", "metrics", "alerts"]
    assert [*jobs(files(own))] == ["gateway", *KNATIVE, *rest]


def test_in_standard_mode_there_is_no_queue_and_no_knative() -> None:
    asked = scrape.configuration(targets(chosen.platform(**OWN, **STANDARD)), "15s")["scrape_configs"]
    assert [each["job_name"] for each in asked] == [
        "gateway",
        "models",
        "kubelet",
        "nodes",
        "api-server",
        "metrics",
        "alerts",
    ]


def test_traefik_shows_its_metrics_where_it_is_asked_for_them(own: recorder.Recorder) -> None:
    args = own.inputs("Deployment", "gateway-traefik")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {"--metrics.prometheus=true", "--metrics.prometheus.entrypoint=ping"} <= {*args}
    gateway = jobs(files(own))["gateway"]["relabel_configs"]
    assert {
        "source_labels": ["__meta_kubernetes_pod_ip"],
        "target_label": "__address__",
        "replacement": "$1:8082",
    } in gateway


def test_kubelets_and_the_api_server_are_known_by_their_certificates(own: recorder.Recorder) -> None:
    for name in ("kubelet", "nodes", "api-server"):
        job = jobs(files(own))[name]
        assert job["scheme"] == "https"
        assert job["tls_config"] == {"ca_file": f"{scrape.ACCOUNT}/ca.crt"}
        assert job["authorization"] == {"credentials_file": f"{scrape.ACCOUNT}/token"}


def test_only_the_page_and_its_questions_are_reached_from_outside(own: recorder.Recorder) -> None:
    paths_of = own.inputs("Ingress", "metrics")["spec"]["rules"][0]["http"]["paths"]
    reached = {each["path"] for each in paths_of}
    assert "/vmui" in reached
    assert not {"/", "/api", "/api/v1", "/api/v1/import", "/api/v1/admin", "/api/v1/write", "/write"} & reached
    policy = own.inputs("NetworkPolicy", "metrics")["spec"]["ingress"]
    assert policy == [
        {
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}}}],
            "ports": [{"port": 8428}],
        }
    ]


def test_what_manages_the_server_needs_a_key(own: recorder.Recorder) -> None:
    secret = own.inputs("Secret", "metrics")["stringData"]
    flags = own.inputs("StatefulSet", "metrics")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert {*secret} >= {"delete", "snapshot", "forceMerge", "reload"}
    assert {f"-{key}AuthKey=file:///keys/{key}" for key in secret} <= {*flags}


def test_the_rights_are_to_read_and_have_no_star(own: recorder.Recorder) -> None:
    rules = own.inputs("ClusterRole", "metrics")["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert "*" not in json.dumps(rules)
    assert not {"secrets", "nodes/proxy"} & {name for rule in rules for name in rule.get("resources", ())}


def test_a_prometheus_operator_gets_monitors_and_the_same_alerts() -> None:
    found = declared(**EXISTING)
    kinds = {
        request.name: request.type for request in found.requests.values() if "monitoring.coreos.com" in request.type
    }
    assert kinds == {
        **dict.fromkeys(
            ("gateway", *KNATIVE, "models", "queues"),
            "kubernetes:monitoring.coreos.com/v1:PodMonitor",
        ),
        "alerts": "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
    }
    models = found.inputs("PodMonitor", "models")
    assert models["metadata"]["namespace"] == "observability"
    assert models["metadata"]["labels"]["release"] == "stack"
    assert models["spec"]["namespaceSelector"] == {"any": True}
    rules = found.inputs("PrometheusRule", "alerts")["spec"]["groups"][0]["rules"]
    assert [each["alert"] for each in rules] == [each.name for each in (*alerts.OF_ALL, *alerts.OF_GATEWAY)]
    assert "dashboards_url" not in found.exports


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"interval": "1s"}, "monitoring.interval"),
        ({"interval": "301s"}, "monitoring.interval"),
        ({"retention": "5"}, "monitoring.retention"),
        ({"source": "existing", "storage": "1Gi"}, "it is of source: own alone"),
        ({"namespace": "other"}, "it is of source: existing alone"),
        ({"source": "prometheus"}, "monitoring.source"),
    ],
)
def test_settings_that_make_no_sense_are_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        chosen.platform(monitoring=settings)


def test_each_alert_has_its_paragraph() -> None:
    page = (paths.checkout() / alerts.RUNBOOK).read_text()
    headings = re.findall(r"^### (\w+)$", page, re.MULTILINE)
    assert headings == [each.name for each in (*alerts.OF_ALL, *alerts.OF_GATEWAY)]


def test_titles_of_panels_are_told_apart() -> None:
    for each in dashboards.dashboards(targets(chosen.platform(**OWN))):
        for title, row in each.rows.items():
            names = [panel.title for panel in row]
            assert len({*names}) == len(names), f"{each.title}, {title}"
