"""Each transform as a table: what goes in, what comes out, and that everything else stays."""

import json
from typing import Any

import pulumi
import pytest
import yaml
from ml_platform.bundles import transforms as t
from ml_platform.bundles.errors import BundleError

pytestmark = pytest.mark.unit

Object = dict[str, Any]


def deployment(**container: Any) -> Object:
    pod = {"spec": {"containers": [{"name": "main", **container}]}}
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": pod}}


def container_of(item: Object) -> Object:
    container: Object = item["spec"]["template"]["spec"]["containers"][0]
    return container


def config(**data: str) -> Object:
    return {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def test_labels_are_added_to_the_object_and_not_to_its_pods() -> None:
    item = t.labels({"ml-platform/stack": "local"})(deployment())
    assert item["metadata"]["labels"] == {"ml-platform/stack": "local"}
    assert "metadata" not in item["spec"]["template"]


@pytest.mark.parametrize(("kind", "marked"), [("Namespace", True), ("ConfigMap", False)])
def test_pod_security_marks_namespaces(kind: str, marked: bool) -> None:
    item = t.pod_security("restricted")({"kind": kind, "metadata": {"name": "n"}})
    assert ("labels" in item["metadata"]) is marked


@pytest.mark.parametrize(("name", "after"), [("settings", {"a": "1", "b": "2"}), ("another", {"a": "1"})])
def test_config_data(name: str, after: dict[str, str]) -> None:
    assert t.config_data(name, {"b": "2"})(config(a="1"))["data"] == after


def test_config_data_of_an_empty_map() -> None:
    empty = {**config(), "data": None}
    assert t.config_data("settings", {"a": "1"})(empty)["data"] == {"a": "1"}


def test_config_json_keeps_the_other_fields() -> None:
    item = t.config_json("settings", "ingress", {"domain": "localhost"})(config(ingress='{"class": "x"}'))
    assert json.loads(item["data"]["ingress"]) == {"class": "x", "domain": "localhost"}


def test_resource_sizes_set_what_is_given() -> None:
    before = deployment(resources={"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}})
    after = container_of(t.resource_sizes({"web": {"memory_request": "1Gi"}})(before))["resources"]
    assert after == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}


def test_resource_sizes_leave_side_containers_alone() -> None:
    before = deployment()
    before["spec"]["template"]["spec"]["containers"].append({"name": "proxy"})
    after = t.resource_sizes({"web": {"cpu_limit": "1"}})(before)
    assert after["spec"]["template"]["spec"]["containers"][1] == {"name": "proxy"}


def test_a_size_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(BundleError, match="no 'memory'; it has cpu_request"):
        t.resource_sizes({"web": {"memory": "1Gi"}})


def test_environment_replaces_a_variable_of_that_name() -> None:
    before = deployment(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}])
    after = container_of(t.environment("Deployment", "web", {"A": "2"})(before))["env"]
    assert after == [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}]


def test_environment_of_an_object_with_one_container() -> None:
    before = {"kind": "Store", "metadata": {"name": "s"}, "spec": {"container": {"name": "c"}}}
    after = t.environment("Store", "s", {"A": "2"})(before)
    assert after["spec"]["container"]["env"] == [{"name": "A", "value": "2"}]


def test_pod_annotations_reach_the_pods() -> None:
    item = t.pod_annotations("Deployment", "web", {"certificate": "1"})(deployment())
    assert item["spec"]["template"]["metadata"]["annotations"] == {"certificate": "1"}


def test_arguments_take_the_place_of_the_same_flag() -> None:
    before = deployment(args=["--namespaces=default", "--v=2", "run"])
    after = container_of(t.arguments("Deployment", "web", {"--namespaces": "jobs"})(before))
    assert after["args"] == ["--v=2", "run", "--namespaces=jobs"]


def test_host_port_keeps_the_name_of_the_port() -> None:
    before = deployment(ports=[{"name": "http", "containerPort": 80}, {"containerPort": 443}])
    after = container_of(t.host_port("Deployment", "web", 80, 8080, "127.0.0.1")(before))
    assert after["ports"] == [
        {"containerPort": 443},
        {"name": "http", "containerPort": 80, "hostPort": 8080, "hostIP": "127.0.0.1"},
    ]


def webhooks(*services: str) -> Object:
    hooks = [{"name": name, "clientConfig": {"service": {"name": name}}} for name in services]
    return {"kind": "MutatingWebhookConfiguration", "metadata": {"name": "m"}, "webhooks": hooks}


def test_ca_bundle_is_set_where_the_service_answers() -> None:
    after = t.ca_bundle("a", "PEM")(webhooks("a", "b"))
    assert [hook["clientConfig"].get("caBundle") for hook in after["webhooks"]] == ["PEM", None]


def test_a_service_loses_what_only_its_former_type_has() -> None:
    spec = {
        "type": "LoadBalancer", "externalTrafficPolicy": "Local", "loadBalancerClass": "x", "selector": {"app": "web"},
        "ports": [{"port": 80, "nodePort": 30080}],
    }  # fmt: skip
    before = {"kind": "Service", "metadata": {"name": "web"}, "spec": spec}
    after = t.service_type("web", "ClusterIP")(before)["spec"]
    assert after == {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    assert t.service_type("web", "LoadBalancer")(before)["spec"] == spec


def test_merged_follows_maps_and_removes_what_is_none() -> None:
    before = {"kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": 1, "b": {"c": 1, "d": 2}, "e": [1, 2]}}
    after = t.merged("Thing", "t", {"spec": {"a": None, "b": {"c": 3}, "e": [4]}})(before)
    assert after["spec"] == {"b": {"c": 3, "d": 2}, "e": [4]}


def test_a_transform_that_is_aimed_at_nothing_is_named() -> None:
    given = [t.config_data("settings", {"a": "1"}), t.config_data("gone", {"a": "1"}), t.labels({"a": "b"})]
    assert t.missing_targets(given, [config()]) == ["ConfigMap gone"]


@pytest.mark.parametrize(
    "transform",
    [
        t.labels({"a": "b"}),
        t.resource_sizes({"web": {"cpu_limit": "1"}}),
        t.environment("Deployment", "web", {"A": "1"}),
        t.pod_annotations("Deployment", "web", {"a": "b"}),
        t.arguments("Deployment", "web", {"--a": "b"}),
        t.merged("Deployment", "web", {"spec": {"replicas": 2}}),
    ],
)
def test_no_transform_edits_its_argument(transform: t.Transform) -> None:
    given = deployment(image="queue", env=[{"name": "A", "value": "0"}])
    transform(given)
    assert given == deployment(image="queue", env=[{"name": "A", "value": "0"}])


def test_config_yaml_merges_into_the_text() -> None:
    item = t.config_yaml("settings", "mesh", {"tracing": {"sampling": 1}})(config(mesh="tracing: {a: 1}\nb: 2\n"))
    assert yaml.safe_load(item["data"]["mesh"]) == {"tracing": {"a": 1, "sampling": 1}, "b": 2}


def test_a_text_with_an_output_becomes_one() -> None:
    item = t.config_json("settings", "ingress", {"domain": pulumi.Output.from_input("x")})(config(ingress="{}"))
    assert isinstance(item["data"]["ingress"], pulumi.Output)


def test_compose_applies_the_first_one_first() -> None:
    both = t.compose([t.config_data("settings", {"a": "1"}), t.config_data("settings", {"a": "2"})])
    assert both(config())["data"] == {"a": "2"}
