"""Work on the node pool that its settings name: what its pods say, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.bundles.installation import Installation
from ml_platform.components.knative import Knative
from ml_platform.configuration import SettingsError, validate
from ml_platform.handle import ServingMode, SparkOperator
from ml_platform.settings import ClusterSettings
from ml_workloads.settings import WorkloadsSettings
from support import chosen, etl, recorder, serving, tuning, work
from support.clouds import COMMON, SETTINGS
from support.made_up import LABELS, MadeUp
from support.pools import PLACED, POOLS, TAINT, placed

SPOT = {"key": "ml-platform/purpose", "operator": "Equal", "value": "spot", "effect": "NoSchedule"}
GPU = {"key": "nvidia.com/gpu", "operator": "Equal", "value": "present", "effect": "NoSchedule"}
STACK = {"source": "stack", "stack": "acme/ml-platform/production"}
LEAN = Installation(
    kubeconfig="{}", labels=LABELS, images={}, versions={"knative-serving": "1.23.0-lean"}
).entry("knative-serving")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "pool", "tolerations"),
    [
        ("ionos", "burst", []),
        ("gke", "general", []),
        ("gke", "spot", [SPOT]),
        ("gke", "gpu", [GPU]),
        ("eks", "spot", [SPOT]),
        ("eks", "gpu", [GPU]),
    ],
)
def test_a_pool_that_the_stack_makes_is_known_by_its_name(
    name: str, pool: str, tolerations: list[dict[str, str]]
) -> None:
    found = placed({**COMMON, **SETTINGS[name]})
    assert set(found) == set(SETTINGS[name]["pools"])
    assert found[pool]["nodeSelector"] == {"ml-platform/pool": pool}
    assert found[pool].get("tolerations", []) == tolerations


@pytest.mark.parametrize("cluster", [{"source": "existing"}, STACK])
def test_a_pool_of_others_is_known_by_what_the_settings_say(cluster: dict[str, Any]) -> None:
    assert placed({**cluster, "pools": POOLS}) == {
        "plain": {"nodeSelector": {"ml-platform/pool": "plain"}},
        "gpu": {
            "nodeSelector": {"acme.test/kind": "gpu"},
            "tolerations": [{**TAINT, "operator": "Equal", "effect": "NoSchedule"}],
        },
    }


@pytest.mark.parametrize("cluster", [{"source": "local"}, {"source": "existing"}, STACK])
def test_a_cluster_of_which_nothing_is_said_has_no_pools(cluster: dict[str, Any]) -> None:
    assert placed(cluster) == {}


@pytest.mark.parametrize(
    ("pool", "path", "rule"),
    [
        ({"labels": {"": "x"}}, "pools.gpu.labels", "should match pattern"),
        ({"labels": {"kind": "of gpu"}}, "pools.gpu.labels.kind", "should match pattern"),
        ({"labels": {"kind": "x" * 64}}, "pools.gpu.labels.kind", "should match pattern"),
        ({"labels": {"kind": 1}}, "pools.gpu.labels.kind", "should be a valid string"),
        ({"taints": [{"value": "yes"}]}, "pools.gpu.taints[0].key", "is missing"),
        ({"taints": [{"key": "a b"}]}, "pools.gpu.taints[0].key", "should match pattern"),
        ({"taints": [{"key": "a", "effect": "Never"}]}, "pools.gpu.taints[0].effect", "'NoSchedule'"),
        ({"taints": [{"key": "a", "operator": "Exists"}]}, "pools.gpu.taints[0].operator", "is no setting"),
        ({"selector": {}}, "pools.gpu.selector", "is no setting; allowed here: labels, taints"),
    ],
)
def test_a_pool_that_can_not_be_so_is_refused(pool: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("cluster", {"source": "existing", "pools": {"gpu": pool}}, ClusterSettings)
    assert f"ml-platform:cluster.{path}" in str(refused.value)
    assert rule in str(refused.value)


def test_the_name_of_a_pool_is_a_name() -> None:
    with pytest.raises(SettingsError, match=r"workloads\.serving\.iris\.pool is \"A pool\": string should match"):
        validate("workloads", {"serving": {"iris": {**serving.SERVED, "pool": "A pool"}}}, WorkloadsSettings)


def test_a_training_and_its_gate_run_on_the_same_pool_and_another_run_where_there_is_room() -> None:
    runs = {"iris": {"pool": "gpu"}, "wide": {"data": "iris", "model": "iris"}}
    tree = work.declare(work.changed(work.IRIS, runs=runs))
    found = {name: placing(work.pod(tree, name)) for name in ("iris", "iris-gate", "wide", "wide-gate")}
    assert found == {"iris": PLACED["gpu"], "iris-gate": PLACED["gpu"], "wide": {}, "wide-gate": {}}


def test_a_search_runs_on_its_pool_whatever_runs_it() -> None:
    assert placing(work.pod(tuning.declare(pool="gpu"))) == PLACED["gpu"]
    cluster = tuning.ray_job(pool="gpu")["spec"]["rayClusterSpec"]
    assert placing(cluster["headGroupSpec"]["template"]["spec"]) == PLACED["gpu"]


@pytest.mark.parametrize(("operator", "where"), [("kubeflow", "template"), ("stackable", "podOverrides")])
def test_driver_and_executors_run_on_the_pool_of_their_run(operator: SparkOperator, where: str) -> None:
    spec = etl.application(operator, pool="gpu")["spec"]
    assert [placing(spec[role][where]["spec"]) for role in ("driver", "executor")] == [PLACED["gpu"]] * 2
    assert placing(etl.application(operator)["spec"]["driver"][where]["spec"]) == {}


@pytest.mark.parametrize("mode", ["knative", "standard"])
def test_a_model_is_served_on_its_pool_and_moves_to_another_with_new_pods(mode: ServingMode) -> None:
    trees = [serving.declare(mode, pool=pool) for pool in (None, "plain", "gpu")]
    found = [placing(tree.inputs(serving.ISVC, "iris")["spec"]["predictor"]) for tree in trees]
    assert found == [{}, PLACED["plain"], PLACED["gpu"]]
    assert len({tree.inputs("Rollout", "iris")["mark"] for tree in trees}) == 3


@pytest.mark.parametrize("there", [True, False])
def test_knative_lets_revisions_choose_among_nodes_only_where_there_are_pools(there: bool) -> None:
    images = {image: f"registry.test/{image}" for image in LEAN.images}

    def program() -> None:
        installation = MadeUp(images=images, releases=[LEAN])
        site = chosen.site(chosen.platform(gateway={"domain": "test"}), installation, PLACED if there else {})
        Knative("knative", site)

    features = recorder.record(program).inputs("ConfigMap", "knative-serving-config-features")["data"]
    lets = {name for name in features if name.startswith("kubernetes.podspec-")}
    assert lets == ({"kubernetes.podspec-nodeselector", "kubernetes.podspec-tolerations"} if there else set())


def placing(pod: dict[str, Any]) -> dict[str, Any]:
    """What of it says where it runs."""
    return {name: pod[name] for name in ("nodeSelector", "tolerations") if name in pod}
