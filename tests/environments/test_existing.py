"""A user's stack on a cluster that somebody else runs: refused as a whole, or installed beside what is there."""

from __future__ import annotations

from typing import Any

from ml_platform.kube import Client
from support import inventory, login_registry
from support.made_up import thing
from support.somebody import Somebody

STACK = "existing"
OURS = ("gateway", "knative-serving", "kserve", "mlflow", "models", "storage")


def test_all_that_is_in_the_way_is_said_at_once_and_nothing_is_touched(
    user: Somebody, cluster: Client, before: dict[str, Any]
) -> None:
    taken = {**thing("Namespace", "mlflow"), "metadata": {"name": "mlflow", "labels": {"team": "flowers"}}}
    cluster.apply(taken, field_manager="shopkeeper")
    user.set(STACK, "cluster.storage_class", "huge")
    user.remove(STACK, "platform.gateway.host_port")
    done = user.up(STACK)
    cluster.delete("v1", "Namespace", "mlflow")
    user.remove(STACK, "cluster.storage_class")
    user.set(STACK, "platform.gateway.host_port", "8080")
    assert done.returncode != 0
    assert "Nothing was touched." in done.stdout
    assert "ml-platform:cluster.storage_class is 'huge', and the cluster has local-path" in done.stdout
    assert "Service of type LoadBalancer would wait for an address for ever" in done.stdout
    assert "The cluster has Namespace mlflow already, from somebody who wrote them with shopkeeper" in done.stdout
    assert inventory.differences(cluster, before) == []


def test_its_model_answers(existing: Somebody) -> None:
    existing.assert_predicts(STACK)


def test_its_images_come_from_a_registry_that_asks_for_a_login(existing: Somebody, cluster: Client) -> None:
    pods = [pod for namespace in OURS for pod in cluster.list("v1", "Pod", namespace)]
    run = {container["image"] for pod in pods for container in pod["spec"]["containers"]}
    assert run <= set(existing.images(STACK).values())
    assert all(image.startswith(f"{login_registry.HOST}/ml/") for image in run)


def test_its_work_runs_on_its_pool_and_all_its_pods_have_the_login_to_the_registry(
    existing: Somebody, cluster: Client
) -> None:
    assert existing.outputs(STACK)["prediction_urls"]
    pods = [pod for namespace in OURS for pod in cluster.list("v1", "Pod", namespace)]
    assert {pod["metadata"]["namespace"] for pod in pods} == set(OURS)
    assert all(pod["spec"].get("imagePullSecrets") == [{"name": "registry-login"}] for pod in pods)
    work = [pod["spec"] for pod in pods if _name(pod) in ("iris", "iris-gate")]
    assert len(work) >= 3, "training, gate and model"
    assert all(spec.get("nodeSelector") == {"kubernetes.io/os": "linux"} for spec in work)


def test_a_changed_setting_changes_what_it_is_about_and_the_model_still_answers(
    existing: Somebody, cluster: Client
) -> None:
    existing.set(STACK, "platform.serving.autoscaling.stable_window", "20s")
    done = existing.up(STACK)
    assert done.returncode == 0, done.stdout
    changed = cluster.get("v1", "ConfigMap", "config-autoscaler", "knative-serving")
    assert changed["data"]["stable-window"] == "20s"
    existing.assert_predicts(STACK)


def _name(pod: dict[str, Any]) -> str:
    labels = pod["metadata"]["labels"]
    return str(labels.get("serving.kserve.io/inferenceservice") or labels.get("app"))
