"""The cluster autoscaler of EKS: where there is one, what it may do, and what it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest
from ml_platform import pods
from ml_platform.clusters.eks.autoscaler import AutoscalerArgs, ClusterAutoscaler
from ml_platform.configuration import SettingsError
from ml_platform.names import AUTOSCALER
from ml_platform.needs import Needs, together
from ml_platform.settings import BundlesSettings
from support import recorder, stacks
from support.clouds import ARN, SETTINGS, declare
from support.made_up import LABELS

FIXED = {"general": {**SETTINGS["eks"]["pools"]["general"], "maximum": 2}}


@pytest.fixture(autouse=True)
def logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.log_in(monkeypatch, tmp_path)


def put(image: str) -> recorder.Recorder:
    args = AutoscalerArgs(image=image, flags=["--cloud-provider=made-up"], environment={"REGION": "here"})
    provider = pulumi.ResourceOptions()
    return recorder.record(lambda: ClusterAutoscaler("scaler", args, provider))


def test_it_may_scale_the_groups_of_its_cluster_and_look_at_the_rest() -> None:
    found, _ = declare("eks")
    look, describe, scale = json.loads(found.inputs("RolePolicy", "ml-platform-autoscaler")["policy"])["Statement"]
    assert not [action for action in look["Action"] if not action.partition(":")[2].startswith(("Describe", "Get"))]
    assert describe["Resource"] == [f"{ARN.replace(':cluster/', ':nodegroup/')}/*"]
    assert scale["Condition"] == {"StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/ml-platform": "owned"}}
    assert not [each for each in (*look["Action"], *scale["Action"]) if "*" in each]


def test_it_finds_the_groups_of_its_cluster_and_no_others() -> None:
    pod = declare("eks")[0].inputs("Deployment", AUTOSCALER)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {"name": "AWS_REGION", "value": "eu-central-1"} in container["env"]
    assert container["args"][:2] == [
        "--cloud-provider=aws",
        "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/ml-platform",
    ]
    assert container["image"] == SETTINGS["eks"]["autoscaler"]


def test_pods_of_it_are_known_by_their_service_account_before_there_are_any() -> None:
    found, _ = declare("eks")
    identity = found.inputs("PodIdentityAssociation", "ml-platform-autoscaler")
    assert (identity["namespace"], identity["serviceAccount"]) == (AUTOSCALER, AUTOSCALER)
    request = found.find("pulumi:providers:kubernetes", "cluster")
    assert any(urn.endswith("RolePolicy::ml-platform-autoscaler") for urn in request.dependencies)


def test_pools_without_room_to_scale_need_none_of_it() -> None:
    found, _ = declare.__wrapped__("eks", pools=FIXED, autoscaler=None)
    assert not [each.name for each in found.requests.values() if each.name in (AUTOSCALER, "ml-platform-autoscaler")]
    assert found.find("NodeGroup", "ml-platform-general").ignoreChanges == []


@pytest.mark.parametrize("cloud", ["gke", "ionos"])
def test_clouds_that_scale_pools_themselves_have_none(cloud: str) -> None:
    assert not [each.name for each in declare(cloud)[0].requests.values() if each.name == AUTOSCALER]


def test_it_runs_as_it_is_told_with_rights_of_its_own() -> None:
    found = put("registry.test/scaler@sha256:0")
    pod = found.inputs("Deployment", AUTOSCALER)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.test/scaler@sha256:0"
    assert {"--cloud-provider=made-up", f"--namespace={AUTOSCALER}"} < set(container["args"])
    assert {"name": "REGION", "value": "here"} in container["env"]
    assert (pod["serviceAccountName"], pod["automountServiceAccountToken"]) == (AUTOSCALER, True)
    rules = [rule for kind in ("Role", "ClusterRole") for rule in found.inputs(kind, AUTOSCALER)["rules"]]
    assert not [rule for rule in rules if "*" in (*rule["resources"], *rule["verbs"], *rule["apiGroups"])]
    assert not [rule for rule in rules if "secrets" in rule["resources"]]
    (binding,) = found.inputs("ClusterRoleBinding", AUTOSCALER)["subjects"]
    assert (binding["namespace"], binding["name"]) == (AUTOSCALER, AUTOSCALER)


def test_no_autoscaler_takes_away_the_node_of_a_run() -> None:
    run = pods.job("iris", "models", LABELS, {"containers": [{"name": "load"}]}, run="1")
    kept = run["spec"]["template"]["metadata"]["annotations"]
    assert kept == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}


def test_without_its_image_the_setting_is_named_and_where_to_find_the_digest() -> None:
    with pytest.raises(SettingsError) as refused:
        declare.__wrapped__("eks", autoscaler=None)
    message = str(refused.value)
    assert "ml-platform:cluster.autoscaler is missing" in message
    assert "of pool general, spot, gpu is below" in message
    assert "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0 --format '{{.Manifest.Digest}}'" in message
    path = "ml-platform:cluster.autoscaler"
    assert f"pulumi config set --path '{path}' registry.k8s.io/autoscaling/cluster-autoscaler@" in message


def test_it_comes_with_the_nodes_and_no_work_may_be_in_its_namespace() -> None:
    found = stacks.record("eks-cluster")
    assert "ml-platform:eks:Cluster" in found.find("Deployment", AUTOSCALER).parent
    with pytest.raises(SettingsError, match=rf"Namespace '{AUTOSCALER}' is claimed by both the cluster itself and"):
        together({"the work of this stack": Needs(namespaces=(AUTOSCALER,))}, BundlesSettings())
