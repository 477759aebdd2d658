"""Each transform as a table: what goes in, what comes out, and that everything else stays."""

import json
from typing import Any

import pytest
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


IMAGES = {"queue": "registry/queue@sha256:1", "docker.io/org/tool:1": "registry/tool@sha256:2"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (deployment(image="queue"), deployment(image="registry/queue@sha256:1")),
        (deployment(image="other"), deployment(image="other")),
        (deployment(image="x", args=["queue"]), deployment(image="x", args=["queue"])),
        (
            deployment(env=[{"name": "TOOL", "value": "docker.io/org/tool:1"}]),
            deployment(env=[{"name": "TOOL", "value": "registry/tool@sha256:2"}]),
        ),
        (config(**{"queue-sidecar-image": "queue"}), config(**{"queue-sidecar-image": "registry/queue@sha256:1"})),
        (config(agent='{"image": "queue"}'), config(agent='{"image": "registry/queue@sha256:1"}')),
        (config(agent="{queue}"), config(agent="{queue}")),
        (config(name="queue"), config(name="queue")),
    ],
)
def test_image_map(before: Object, after: Object) -> None:
    assert t.image_map(list(IMAGES), IMAGES)(before) == after


def test_an_image_without_a_reference_is_refused_by_name() -> None:
    with pytest.raises(BundleError, match=r"(?s)activator.*ml-platform:platform"):
        t.image_map(["activator", "queue"], IMAGES)


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
    sizes = {"web": t.Resources(memory_request="1Gi")}
    before = deployment(resources={"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}})
    after = container_of(t.resource_sizes(sizes)(before))["resources"]
    assert after == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}


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


def test_ca_bundle_is_set_on_every_webhook() -> None:
    hooks = [{"name": "a", "clientConfig": {"service": {}}}, {"name": "b", "clientConfig": {}}]
    item = {"kind": "MutatingWebhookConfiguration", "metadata": {"name": "m"}, "webhooks": hooks}
    after = t.ca_bundle("PEM")(item)
    assert [hook["clientConfig"]["caBundle"] for hook in after["webhooks"]] == ["PEM", "PEM"]


@pytest.mark.parametrize(
    "transform",
    [
        t.labels({"a": "b"}),
        t.resource_sizes({"web": t.Resources(cpu_limit="1")}),
        t.environment("Deployment", "web", {"A": "1"}),
        t.pod_annotations("Deployment", "web", {"a": "b"}),
        t.image_map(["queue"], IMAGES),
    ],
)
def test_no_transform_edits_its_argument(transform: t.Transform) -> None:
    given = deployment(image="queue", env=[{"name": "A", "value": "0"}])
    transform(given)
    assert given == deployment(image="queue", env=[{"name": "A", "value": "0"}])


def test_compose_applies_the_first_one_first() -> None:
    both = t.compose([t.config_data("settings", {"a": "1"}), t.config_data("settings", {"a": "2"})])
    assert both(config())["data"] == {"a": "2"}
