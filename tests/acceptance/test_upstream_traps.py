"""What real releases get wrong, file by file: that it is there, and that nothing of it comes out of the pipeline.

A trap that is in no file any more is as much a finding as one that gets through.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from ml_platform.bundles import cache as cached
from ml_platform.bundles import certificates
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.images import in_object, uses
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.parse import Object, title
from ml_platform.bundles.pipeline import Release, load, read
from ml_platform.bundles.transforms import image_map
from support import mirrored

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not mirrored.index(), reason="this mirror has no INDEX.toml that describes its files"),
]


@cache
def release(entry: str) -> Release:
    """By the title of its entry; of a CRD without the schemas, which are most of it and have no part in this."""
    found = read(next(each for each in mirrored.releases() if each.title == entry))
    return replace(found, objects=[without_schemas(item) for item in found.objects])


def objects(*names: str) -> list[Object]:
    """All of the first releases of these bundles."""
    return [item for name in names for item in release(find(name).title).objects]


def every() -> Iterator[tuple[str, Object]]:
    """Each object of each release, with its release's title."""
    return ((entry.title, item) for entry in mirrored.releases() for item in release(entry.title).objects)


def core() -> list[Object]:
    return [item for entry in mirrored.pinned() for item in release(entry.title).objects]


def raw(key: str) -> list[Object]:
    """What a file of the mirror says itself."""
    return cached.objects((mirrored.mirror() / mirrored.index()[key]["file"]).read_text())


def find(name: str) -> Entry:
    return next(entry for entry in mirrored.releases() if entry.name == name)


def without_schemas(item: Object) -> Object:
    if item["kind"] != DEFINITION:
        return item
    return {**item, "spec": {key: value for key, value in item["spec"].items() if key != "versions"}}


def test_the_mirror_is_what_its_index_says() -> None:
    described = {each["file"]: each["sha256"] for each in mirrored.index().values()}
    there = {str(path.relative_to(mirrored.mirror())): path.read_bytes() for path in mirrored.files()}
    assert {name: hashlib.sha256(text).hexdigest() for name, text in there.items()} == described


def test_every_file_is_part_of_a_release() -> None:
    used = {mirrored.key(part) for entry in mirrored.releases() for part in entry.parts}
    assert used >= set(mirrored.index())


@pytest.mark.parametrize("entry", mirrored.pinned(), ids=lambda entry: entry.title.replace(" ", "-"))
def test_the_catalog_has_the_facts_of_the_index(entry: Entry) -> None:
    for part in entry.parts:
        described = mirrored.index()[mirrored.key(part)]
        assert part.sha256 == described["sha256"]
        assert part.source.kind == "git"
        assert (part.source.repository, part.source.ref) == (described["repo"], described["ref"])
        assert (part.source.commit, part.source.path) == (described["commit"], described["path"])
        assert (described.get("values") or {}).items() <= dict(part.source.values).items()
        assert bool(part.source.fetched) is ("from a URL" in described.get("edited", ""))


def test_no_object_is_without_a_name_or_twice_in_a_release() -> None:
    assert all(item["metadata"]["name"] for _, item in every())
    named = [(found, item["apiVersion"].rpartition("/")[0], title(item)) for found, item in every()]
    assert len(set(named)) == len(named)


def hooks(item: Object) -> bool:
    return any(key.startswith("helm.sh/hook") for key in item["metadata"].get("annotations") or {})


def placeholder(item: Object) -> bool:
    return any(hook["clientConfig"].get("caBundle") in ("", "Cg==") for hook in item.get("webhooks") or [])


def unresolved(item: Object) -> bool:
    return "$(CERTIFICATE_" in json.dumps(item["metadata"])


def status(item: Object) -> bool:
    return item["kind"] == DEFINITION and "status" in item


def null(item: Object) -> bool:
    return None in item["metadata"].values()


def blank(item: Object) -> bool:
    return item["kind"] == "Secret" and "data" in item and not any((item["data"] or {}).values())


@pytest.mark.parametrize(
    ("trap", "file"),
    [
        (hooks, "cert-manager@v1.21.1"),
        (hooks, "trainer-chart@2.3.0"),
        (placeholder, "poddefaults@v2.0.0"),
        (unresolved, "jobset@v0.12.0"),
        (unresolved, "trainer@v2.3.0"),
        (status, "notebook-controller@v1.10.0"),
        (null, "seldon-core-operator@1.18.2"),
        (blank, "jobset-chart@0.12.0"),
        (blank, "trainer@v2.3.0"),
    ],
)
def test_what_no_release_means_to_say_is_gone(trap: Callable[[Object], bool], file: str) -> None:
    assert any(map(trap, raw(file))), "no longer in that file"
    assert not [f"{found}: {title(item)}" for found, item in every() if trap(item)]


def test_hooks_are_left_out_by_name_or_kept_by_a_rule() -> None:
    for entry in mirrored.releases():
        hooked = {hook for part in entry.parts for hook in mirrored.index()[mirrored.key(part)].get("helm_hooks", [])}
        kept = {rule.kind for rule in entry.rules if rule.action == "keep"}
        named = {left.title.replace(f"{entry.namespace}/", "") for left in release(entry.title).left_out}
        assert named == {titled(hook) for hook in hooked if hook.partition("/")[0] not in kept}


def test_a_secret_that_a_chart_makes_a_hook_is_kept_by_a_rule() -> None:
    assert [item["kind"] for item in objects("mlflow-community-chart")].count("Secret") == 2


def test_the_jobs_without_a_name_are_dropped_by_a_rule() -> None:
    assert [item["kind"] for item in raw("knative-serving-post-install-jobs@v1.23.0")] == ["Job", "Job"]
    assert not objects("knative-serving-post-install-jobs")


@pytest.mark.parametrize(
    ("bundle", "elsewhere"),
    [
        ("cert-manager", {"kube-system"}),
        ("net-istio", {"istio-system"}),
        ("spark-operator", {"default"}),
        ("stackable-secret", set()),
        ("kube-prometheus-stack", {"kube-system"}),
        ("oauth2-proxy", {"istio-system"}),
    ],
)
def test_what_a_release_has_elsewhere_stays_there(bundle: str, elsewhere: set[str]) -> None:
    used = {item["metadata"]["namespace"] for item in objects(bundle) if "namespace" in item["metadata"]}
    assert used == elsewhere | {find(bundle).namespace}


def test_cluster_scoped_objects_that_name_a_namespace_lose_it() -> None:
    kinds = {"ClusterRole", "ClusterStorageContainer"}
    assert any(item["kind"] in kinds and "namespace" in item["metadata"] for item in raw("kserve@v0.20.0"))
    assert not [f"{found}: {title(item)}" for found, item in every() if item["kind"] in kinds and namespace(item)]


def test_replicas_under_an_autoscaler_are_not_declared() -> None:
    scaled = {
        (found, namespace(item), item["spec"]["scaleTargetRef"]["name"])
        for found, item in every()
        if item["kind"] == "HorizontalPodAutoscaler"
    }
    assert {name for _, _, name in scaled} >= {"activator", "webhook", "istiod", "istio-ingressgateway"}
    for found, item in every():
        if item["kind"] == "Deployment" and (found, namespace(item), item["metadata"]["name"]) in scaled:
            assert "replicas" not in item["spec"]


def test_the_largest_schemas_come_through_whole() -> None:
    """720 KiB and more: only a server-side apply can create them."""
    key = "kserve-llmisvc-crds@v0.20.0"
    schemas = [item["spec"]["versions"] for item in raw(key)]
    assert max(len(json.dumps(each)) for each in schemas) > 720 * 1024
    assert [item["spec"]["versions"] for item in load(find("kserve-llmisvc-crds"))] == schemas


@pytest.mark.parametrize("version", ["1.23.0", "1.22.1"])
def test_knative_says_no_rules_for_its_webhooks(version: str) -> None:
    found = [item for name in ("knative-serving", "net-istio") for item in release(f"{name} {version}").objects]
    webhooks = [hook for item in found for hook in item.get("webhooks", [])]
    assert len(webhooks) == 5
    assert not any("rules" in hook for hook in webhooks)


def test_what_knative_calls_a_certificate_is_not_cert_manager_s() -> None:
    kept = certificates.adapted_to_issuer(objects("knative-serving"), cert_manager=False)
    assert "routing-serving-certs" in [item["metadata"]["name"] for item in kept if item["kind"] == "Certificate"]


def test_without_cert_manager_nothing_of_it_is_left() -> None:
    assert {"Certificate", "Issuer"} <= {item["kind"] for item in objects("kserve")}
    kept = certificates.adapted_to_issuer(core(), cert_manager=False)
    assert not [title(item) for item in kept if item["apiVersion"].startswith("cert-manager.io/")]
    assert "cert-manager.io/inject-ca-from" not in json.dumps([item["metadata"] for item in kept])


def test_istio_s_validators_are_as_istiod_leaves_them() -> None:
    found = objects("istio-base", "istiod")
    validators = [item for item in found if item["kind"] == "ValidatingWebhookConfiguration"]
    assert [hook["failurePolicy"] for item in validators for hook in item["webhooks"]] == ["Fail", "Fail"]


def test_the_gateway_s_image_is_left_to_the_injector() -> None:
    (deployment,) = [item for item in objects("istio-gateway") if item["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["imagePullPolicy"]) == ("auto", "IfNotPresent")


def test_jobset_is_installed_once() -> None:
    assert any("jobset" in item["metadata"]["name"] for item in objects("jobset"))
    assert not [title(item) for item in objects("trainer") if "jobset" in item["metadata"]["name"]]


def test_kinds_that_convert_by_a_controller_that_is_not_there_are_left_out() -> None:
    definitions = [item for item in core() if item["kind"] == DEFINITION]
    assert not [title(item) for item in definitions if "webhook" in item["spec"].get("conversion", {})]
    assert "LLMInferenceServiceConfig" not in {item["kind"] for item in core()}


def test_every_image_is_found_wherever_a_release_hides_it() -> None:
    for entry in mirrored.releases():
        found = {use.image for use in uses(entry, release(entry.title).objects)}
        described = {image for part in entry.parts for image in mirrored.index()[mirrored.key(part)]["images"]}
        text = json.dumps(release(entry.title).objects)
        assert {image for image in described if image in text} <= found, entry.title
        assert found - described <= {each.image for each in entry.runtime_images}, entry.title


def test_every_image_of_the_core_has_a_version() -> None:
    found = {use.image for entry in mirrored.pinned() for use in uses(entry, release(entry.title).objects)}
    assert not {image for image in found if image.endswith(":latest") or ":" not in image}


@pytest.mark.parametrize("entry", mirrored.pinned(), ids=lambda entry: entry.title.replace(" ", "-"))
def test_a_registry_has_every_image_that_the_core_names(entry: Entry) -> None:
    change = image_map(entry.images, {}, "registry.test/all", [each.image for each in entry.runtime_images])
    found = {image for item in release(entry.title).objects for _, image in in_object(change(item))}
    assert not {image for image in found if not image.startswith("registry.test/all/")}


@pytest.mark.parametrize("name", ["knative-operator", "kserve-llmisvc-crds", "emissary-crds-legacy"])
def test_kinds_that_convert_by_a_service_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(BundleError, match=r"converts through service .*, but the bundle lives in elsewhere"):
        load(find(name).model_copy(update={"namespace": "elsewhere"}))


def test_nothing_of_the_core_asks_for_a_volume_and_the_gateway_alone_for_a_load_balancer() -> None:
    assert "PersistentVolumeClaim" not in {item["kind"] for item in core()}
    services = [item for item in core() if item["kind"] == "Service"]
    balanced = [title(item) for item in services if item["spec"].get("type") == "LoadBalancer"]
    assert balanced == ["Service istio-system/istio-ingressgateway"]


def test_passwords_that_everybody_knows_are_not_in_the_core() -> None:
    secrets = [item for item in core() if item["kind"] == "Secret"]
    assert secrets
    assert not [title(item) for item in secrets if item.get("data") or item.get("stringData")]


def titled(hook: str) -> str:
    """As the index has it: <kind>/<name>: <moments>."""
    return hook.rpartition(": ")[0].replace("/", " ", 1)


def namespace(item: Object) -> str | None:
    found: str | None = item["metadata"].get("namespace")
    return found
