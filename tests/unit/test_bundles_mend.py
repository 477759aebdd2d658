"""The traps of real manifests, one by one, each in the smallest manifest that has it."""

import base64
from typing import Any

import pytest
from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.check import check_conversion_services, deduplicated
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.hooks import Omission, separate_hooks
from ml_platform.bundles.mend import mended, scopes, with_namespaces, without_scaled_replicas
from ml_platform.bundles.parse import Object

pytestmark = pytest.mark.unit

CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()


def make(kind: str, api_version: str = "v1", name: str = "a", **fields: Any) -> Object:
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def definition(kind: str, scope: str = "Cluster", **spec: Any) -> Object:
    spec = {"group": "x.io", "names": {"kind": kind}, "scope": scope, **spec}
    return make("CustomResourceDefinition", "apiextensions.k8s.io/v1", name=f"{kind}s", spec=spec)


def mend(item: Object) -> Object:
    (found,) = mended([item])
    return found


@pytest.mark.parametrize("field", ["creationTimestamp", "annotations", "labels"])
@pytest.mark.parametrize("api_version", ["v1", "x.io/v1"])
def test_nulls_in_metadata_go(field: str, api_version: str) -> None:
    assert mend(make("Thing", api_version, metadata={field: None}))["metadata"] == {"name": "a"}


@pytest.mark.parametrize(
    ("item", "stays"),
    [
        (make("Deployment", "apps/v1", spec={"containers": [{"env": None}]}), {"containers": [{}]}),
        (make("Thing", "x.io/v1", spec={"default": None}), {"default": None}),
        (definition("Thing", default=None), {**definition("Thing")["spec"], "default": None}),
    ],
)
def test_nulls_go_only_where_they_mean_nothing(item: Object, stays: Any) -> None:
    assert mend(item)["spec"] == stays


@pytest.mark.parametrize("item", [definition("Thing"), make("Deployment", "apps/v1"), make("Thing", "x.io/v1")])
def test_a_status_goes(item: Object) -> None:
    assert mend({**item, "status": {"conditions": None}}) == item


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (make("ConfigMap"), "home"),
        (make("ConfigMap", metadata={"namespace": "kube-system"}), "kube-system"),
        (make("ConfigMap", metadata={"namespace": ""}), "home"),
        (make("Namespace"), None),
        (make("ClusterRole", "rbac.authorization.k8s.io/v1", metadata={"namespace": "x"}), None),
        (make("Wide", "x.io/v1", metadata={"namespace": "x"}), None),
        (make("Narrow", "x.io/v1"), "home"),
        (make("Wide", "y.io/v1", metadata={"namespace": "x"}), "x"),
        (make("Wide", "y.io/v1"), None),
        (make("Namespace", "x.io/v1"), None),
    ],
)
def test_namespaces_are_where_they_belong(item: Object, expected: str | None) -> None:
    kinds = scopes([definition("Wide"), definition("Narrow", "Namespaced")])
    (found,) = with_namespaces([item], "home", kinds)
    assert found["metadata"].get("namespace") == expected


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        ({"data": {"tls.crt": "", "tls.key": ""}}, set()),
        ({"data": None}, set()),
        ({"data": {}, "stringData": {"a": ""}}, set()),
        ({"data": {"tls.crt": "", "ca.crt": "eA=="}}, {"data"}),
        ({"type": "Opaque", "stringData": {"a": "x"}}, {"type", "stringData"}),
    ],
)
def test_a_secret_that_is_filled_at_run_time_declares_no_data(fields: dict[str, Any], stays: set[str]) -> None:
    assert mend(make("Secret", **fields)).keys() - {"apiVersion", "kind", "metadata"} == stays


def test_an_empty_value_of_a_config_map_stays() -> None:
    assert mend(make("ConfigMap", data={"a": ""}))["data"] == {"a": ""}


@pytest.mark.parametrize(
    ("bundle", "stays"), [("", False), (None, False), ("Cg==", False), ("@@", False), (CERTIFICATE, True)]
)
@pytest.mark.parametrize(
    "holder",
    [
        lambda client: make("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1",
                            webhooks=[{"name": "w", "clientConfig": client}]),
        lambda client: definition("Thing", conversion={"webhook": {"clientConfig": client}}),
        lambda client: make("APIService", "apiregistration.k8s.io/v1", spec=client),
    ],
)  # fmt: skip
def test_a_trust_that_is_no_certificate_is_not_declared(holder: Any, bundle: str | None, stays: bool) -> None:
    found = mend(holder({"service": {"name": "s"}, "caBundle": bundle}))
    assert ("caBundle" in str(found)) is stays
    assert "'service': {'name': 's'}" in str(found)


def test_a_webhook_without_rules_stays_without() -> None:
    item = make("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1", webhooks=[{"name": "w"}])
    assert mend(item) == item


@pytest.mark.parametrize(
    ("source", "stays"), [("$(CERTIFICATE_NAMESPACE)/$(CERTIFICATE_NAME)", False), ("kserve/serving-cert", True)]
)
def test_an_injection_that_was_never_filled_in_goes(source: str, stays: bool) -> None:
    item = definition("Thing")
    item["metadata"]["annotations"] = {"cert-manager.io/inject-ca-from": source, "other": "1"}
    assert ("cert-manager.io/inject-ca-from" in mend(item)["metadata"]["annotations"]) is stays
    assert mend(item)["metadata"]["annotations"]["other"] == "1"


@pytest.mark.parametrize(("target", "namespace", "stays"), [("a", "n", False), ("b", "n", True), ("a", "m", True)])
def test_replicas_go_where_an_autoscaler_sets_them(target: str, namespace: str, stays: bool) -> None:
    reference = {"kind": "Deployment", "name": target}
    autoscaler = make("HorizontalPodAutoscaler", "autoscaling/v2", metadata={"namespace": namespace},
                      spec={"scaleTargetRef": reference})  # fmt: skip
    scaled = make("Deployment", "apps/v1", metadata={"namespace": "n"}, spec={"replicas": 1, "paused": False})
    found, _ = without_scaled_replicas([scaled, autoscaler])
    assert ("replicas" in found["spec"]) is stays
    assert "paused" in found["spec"]


def hooked(hook: str, **annotations: str) -> Object:
    marks = {"helm.sh/hook": hook, "helm.sh/hook-weight": "1", **annotations}
    return make("Job", "batch/v1", metadata={"annotations": marks, "namespace": "n"})


def keeping(name: str = "a") -> Rule:
    return Rule(action="keep", kind="Job", name=name, why="a test")


@pytest.mark.parametrize("hook", ["pre-install,pre-upgrade", "post-install", "pre-delete", "test", "test-success"])
def test_a_hook_is_left_out_and_named(hook: str) -> None:
    stay, left_out = separate_hooks([make("ConfigMap"), hooked(hook)], [])
    assert stay == [make("ConfigMap")]
    assert left_out == [Omission("Job n/a", f"Helm hook {hook}")]


@pytest.mark.parametrize(("extra", "left"), [({}, None), ({"other": "1"}, {"other": "1"})])
def test_a_hook_that_a_rule_keeps_is_an_ordinary_object(extra: dict[str, str], left: Any) -> None:
    (item,), left_out = separate_hooks([hooked("post-install", **extra)], [keeping()])
    assert item["metadata"].get("annotations") == left
    assert not left_out


@pytest.mark.parametrize(
    ("hook", "rule", "message"),
    [
        ("pre-delete", keeping(), "would apply what runs at pre-delete"),
        ("post-install,post-delete", keeping(), "would apply what runs at"),
        ("test", keeping(), "would apply what runs at test"),
        ("post-install", keeping("b"), "matches no hook"),
    ],
)
def test_a_rule_can_keep_only_a_hook_that_installs(hook: str, rule: Rule, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        separate_hooks([hooked(hook)], [rule])


def test_an_object_that_is_there_twice_is_there_once() -> None:
    assert deduplicated([make("ConfigMap"), make("Secret"), make("ConfigMap")]) == [make("ConfigMap"), make("Secret")]


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (
            [make("ConfigMap", data={"k": "1"}), make("ConfigMap", data={"k": "2"})],
            "ConfigMap a is there twice.*data.k",
        ),
        ([make("Job", metadata={"name": None, "generateName": "j-"})], "Job j- has no name, only a generateName"),
    ],
)
def test_what_can_not_be_declared_once_by_name_is_refused(objects: list[Object], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        deduplicated(objects)


@pytest.mark.parametrize(("namespace", "fits"), [("home", True), ("second", True), ("elsewhere", False)])
def test_a_definition_that_converts_elsewhere_is_refused(namespace: str, fits: bool) -> None:
    service = {"service": {"name": "s", "namespace": namespace}}
    items = [make("Namespace", name="second"), definition("Thing", conversion={"webhook": {"clientConfig": service}})]
    if fits:
        check_conversion_services(items, "home")
        return
    with pytest.raises(BundleError, match=r"converts through service elsewhere/s.*lives in home.*by a rule"):
        check_conversion_services(items, "home")
