"""The platform and the work on it as the engine sees them: order, secrets, and what every pod must be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ml_platform.configuration import validate
from ml_platform.platform import Platform, PlatformArgs
from ml_platform.tenancy import Tenancy
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.workloads import Workloads
from support import chosen, recorder
from support.work import IRIS, changed

IMAGE = "registry.test/{}@sha256:" + "0" * 64
NAMES = (
    "knative-activator", "knative-autoscaler", "knative-controller", "knative-queue", "knative-webhook",
    "kserve-manager", "mlflow", "mlserver", "postgres", "traefik", "training", "versitygw",
)  # fmt: skip
WORK = changed(IRIS, data={"raw": {"uri": "s3://datasets/raw/"}}, serving={"iris": {"model": "iris"}})
SERVICE = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
BY_WHAT_IT_DOES = re.compile(r"-[0-9a-f]{8}(-description)?$")
WORKLOAD_KINDS = ("Deployment", "StatefulSet", "Job")


OWNERSHIP = {"ml-platform/owner": "jane-doe"}
LEAN = {"versions": {"knative-serving": "1.23.0-lean", "kserve": "0.20.0-lean"}}


def declare(platform: dict[str, Any] | None = None, *, protected: bool = False) -> recorder.Recorder:
    def program() -> None:
        cluster = chosen.cluster({name: IMAGE.format(name) for name in NAMES}, protected=protected)
        settings, tenancy = chosen.platform(**{"bundles": LEAN, **(platform or {})}), Tenancy(ownership=OWNERSHIP)
        handle = Platform("platform", PlatformArgs(cluster=cluster, settings=settings, tenancy=tenancy)).handle
        Workloads("workloads", handle, validate("workloads", WORK, WorkloadsSettings), OWNERSHIP)

    return recorder.record(program)


@pytest.fixture(scope="module")
def tree() -> recorder.Recorder:
    return declare()


def own(tree: recorder.Recorder) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Kubernetes objects that are no bundle's."""
    for request in tree.requests.values():
        if request.type.startswith("kubernetes:") and "bundles:Bundle" not in request.parent:
            yield request, recorder.inputs(request)


def pods(tree: recorder.Recorder) -> Iterator[tuple[str, dict[str, Any]]]:
    for request, manifest in own(tree):
        if manifest["kind"] in WORKLOAD_KINDS:
            yield f"{manifest['kind']} {request.name}", manifest["spec"]["template"]["spec"]


def test_every_resource_has_a_component_as_its_parent(tree: recorder.Recorder) -> None:
    top = {"ml-platform:platform:Platform", "ml-platform:workloads:Workloads", "pulumi:providers:kubernetes"}
    loose = [
        request.name
        for request in tree.requests.values()
        if "ml-platform:" not in request.parent and request.type not in top | {"pulumi:pulumi:Stack"}
    ]
    assert loose == []


def test_every_object_goes_to_the_cluster_that_was_chosen(tree: recorder.Recorder) -> None:
    assert all(request.provider.rpartition("::")[0].endswith("::cluster") for request, _ in own(tree))


def test_what_is_named_by_what_it_does_goes_before_the_next_is_made(tree: recorder.Recorder) -> None:
    first = {
        request.name: request.deleteBeforeReplace
        for request, manifest in own(tree)
        if BY_WHAT_IT_DOES.search(manifest["metadata"]["name"])
    }
    assert {"mlflow-schema", "s3-buckets", "iris-verdict", "iris-run", "iris"} <= first.keys()
    assert all(first.values()), [name for name, before in first.items() if not before]


def test_every_container_is_restricted_and_sized(tree: recorder.Recorder) -> None:
    seen = list(pods(tree))
    assert len(seen) >= 7
    for name, pod in seen:
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert set(container["resources"]) == {"requests", "limits"}, name
            assert "@sha256:" in container["image"], name


def test_only_runs_and_the_gateway_have_a_token_for_the_api(tree: recorder.Recorder) -> None:
    with_token = {name for name, pod in pods(tree) if pod.get("automountServiceAccountToken", True)}
    runs = {"Job data-raw", "Job iris", "Job iris-gate", "Job iris-champion"}
    assert with_token == runs | {"Deployment gateway-traefik"}


def test_no_password_is_in_the_clear(tree: recorder.Recorder) -> None:
    for request, manifest in own(tree):
        if manifest["kind"] == "Secret":
            assert manifest["stringData"] in ("[secret]", dict.fromkeys(manifest["stringData"], "[secret]")), (
                request.name
            )


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("batch/v1:Job::mlflow-schema", "core/v1:Secret::mlflow"),
        ("apps/v1:Deployment::mlflow", "batch/v1:Job::s3-buckets"),
        ("batch/v1:Job::data-raw", "batch/v1:Job::s3-buckets"),
        ("batch/v1:CronJob::data-raw-watch", "RunOutcome::data-raw"),
        ("batch/v1:Job::iris", "batch/v1:Job::mlflow-schema"),
        ("batch/v1:Job::iris", "apps/v1:Deployment::mlflow"),
        ("batch/v1:Job::iris", "rbac.authorization.k8s.io/v1:RoleBinding::iris-run"),
        ("batch/v1:Job::iris", "core/v1:ConfigMap::iris-verdict"),
        ("RunOutcome::iris", "batch/v1:Job::iris"),
        ("core/v1:ConfigMap::iris-gate-run", "RunOutcome::iris"),
        ("RunOutcome::iris-gate", "batch/v1:Job::iris-gate"),
        ("v1beta1:InferenceService::iris", "RunOutcome::iris-gate"),
        ("v1beta1:InferenceService::iris", "ClusterServingRuntime::kserve-mlserver"),
        ("v1beta1:InferenceService::iris", "Gate::knative-serving-gate"),
        ("v1beta1:InferenceService::iris", "apps/v1:Deployment::gateway-traefik"),
        ("Rollout::iris", "v1beta1:InferenceService::iris"),
    ],
)
def test_one_waits_for_the_other(later: str, earlier: str, tree: recorder.Recorder) -> None:
    assert earlier in {urn[-len(earlier) :] for urn in _all_before(tree, _urn(tree, later))}


@pytest.mark.parametrize(
    ("one", "other"),
    [("StatefulSet::postgres", "StatefulSet::s3"), ("StatefulSet::s3", "Definitions::knative-serving-definitions")],
)
def test_one_does_not_wait_for_the_other(one: str, other: str, tree: recorder.Recorder) -> None:
    assert _urn(tree, other) not in _all_before(tree, _urn(tree, one))
    assert _urn(tree, one) not in _all_before(tree, _urn(tree, other))


def test_nothing_goes_to_the_cluster_before_the_preflight(tree: recorder.Recorder) -> None:
    (provider,) = (each for each in tree.requests.values() if each.type == "pulumi:providers:kubernetes")
    assert [urn.rpartition("::")[2] for urn in provider.dependencies] == ["preflight"]


@pytest.mark.mirror
def test_in_standard_mode_traefik_serves_routes_of_the_gateway_api() -> None:
    found = declare({"bundles": {}, "serving": {"mode": "standard"}})
    pod = found.inputs("Deployment", "gateway-traefik")["spec"]["template"]["spec"]
    flags = pod["containers"][0]["args"]
    assert "--providers.kubernetesgateway=true" in flags
    assert not [flag for flag in flags if "knative" in flag]
    (listener,) = found.inputs("kubernetes:gateway.networking.k8s.io/v1:Gateway", "gateway")["spec"]["listeners"]
    assert f"--entrypoints.websecure.address=:{listener['port']}" in flags
    # It lists all of them at its start, and serves no route while one is forbidden.
    watched = {kind for rule in found.inputs("ClusterRole", "gateway-traefik")["rules"] for kind in rule["resources"]}
    assert {"gatewayclasses", "gateways", "httproutes", "grpcroutes", "tlsroutes", "backendtlspolicies"} <= watched
    ingress = found.inputs("ConfigMap", "kserve-inferenceservice-config")["data"]["ingress"]
    assert json.loads(ingress)["kserveIngressGateway"] == "gateway/gateway"


def test_what_somebody_else_runs_is_used_and_not_declared() -> None:
    found = declare({"bundles": {**LEAN, "existing": ["knative-serving"]}})
    assert not [urn for urn in found.requests if "Bundle::knative" in urn]
    assert found.find(SERVICE, "iris")
    assert found.inputs("Preflight", "preflight")["existing"] == {"knative-serving": "1.23.0-lean"}


def test_a_new_password_version_restarts_its_server_and_who_uses_it(tree: recorder.Recorder) -> None:
    changed = declare({"postgres": {"password_version": 2}})

    def template(found: recorder.Recorder, kind: str, name: str) -> Any:
        return found.inputs(kind, name)["spec"]["template"]["metadata"]

    assert template(changed, "StatefulSet", "postgres") != template(tree, "StatefulSet", "postgres")
    assert template(changed, "Deployment", "mlflow") != template(tree, "Deployment", "mlflow")
    assert template(changed, "StatefulSet", "s3") == template(tree, "StatefulSet", "s3")


def _urn(tree: recorder.Recorder, end: str) -> str:
    (urn,) = (urn for urn in tree.requests if urn.endswith(end))
    return urn


def _all_before(tree: recorder.Recorder, urn: str) -> set[str]:
    """All that a resource waits for, at any distance."""
    found: set[str] = set()
    todo = [urn]
    while todo:
        for before in tree.requests[todo.pop()].dependencies:
            if before not in found:
                found.add(before)
                todo.append(before)
    return found


def test_the_namespace_of_work_says_whose_it_is(tree: recorder.Recorder) -> None:
    labels = tree.inputs("kubernetes:core/v1:Namespace", "models")["metadata"]["labels"]
    assert labels["ml-platform/owner"] == "jane-doe"


@pytest.mark.parametrize("protected", [True, False])
def test_what_holds_data_is_protected_where_the_cluster_says_so_and_nothing_else(protected: bool) -> None:
    held = {(each.type.rpartition(":")[2], each.name) for each, _ in own(declare(protected=protected)) if each.protect}
    claims = {("PersistentVolumeClaim", "postgres"), ("PersistentVolumeClaim", "s3")}
    data = claims | {("Namespace", "mlflow"), ("Namespace", "storage")}
    assert held == (data if protected else set())
