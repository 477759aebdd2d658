"""One table of kinds serves every policy: what a row says is judged, how many there are at most is counted."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import pytest
import yaml
from ml_policies.catalog import POLICIES
from ml_policies.engine.judge import Judge
from ml_policies.engine.resource import Resource
from ml_policies.shapes import costs
from ml_policies.shapes.counts import most
from ml_policies.shapes.model import Limit, Run, Workload, tried
from ml_policies.shapes.sizes import of_workload
from ml_policies.shapes.workloads import WORKLOADS
from support.declared import IMAGE, POD, SECURE

SIZE = {"cpu": 1, "memory": "1Gi"}
MAIN = {
    "name": "main", "image": IMAGE, "securityContext": {**SECURE, **POD},
    "resources": {"requests": SIZE, "limits": SIZE},
}  # fmt: skip
SPEC = {"containers": [MAIN], "serviceAccountName": "own"}
TEMPLATE = {"spec": SPEC}
INVENTED = Workload(
    ("spec.flock.*.bird",),
    counts={"spec.flock.*": most("wings")},
    run=Run("spec.sunset", retries=tried(Limit("spec.again", 9)), gone={"spec.vanish": ""}),
    parts=("spec.song",),
    models=("spec.song.tune",),
)
GOOD = {
    "sunset": 60, "again": 1, "flock": {"a": {"wings": 2, "bird": SPEC}},
    "song": {"minReplicas": 1, "maxReplicas": 2, "scaleTarget": 10, "timeout": 60,
             "tune": {"storageUri": "mlflow://iris/7", "protocolVersion": "v2"}},
}  # fmt: skip
EVIL: list[tuple[str, Mapping[str, Any]]] = [
    ("bounded-run-time", {"sunset": None}),
    ("bounded-run-time", {"sunset": 900000}),
    ("bounded-retries", {"again": None}),
    ("bounded-retries", {"again": 100}),
    ("no-time-to-live", {"vanish": 60}),
    ("bounded-run-size", {"flock": {"a": {"wings": 100, "bird": SPEC}}}),
    ("monthly-cost", {"flock": {"a": {"wings": 1000, "bird": SPEC}}}),
    ("host-access", {"flock": {"a": {"bird": {**SPEC, "hostNetwork": True}}}}),
    ("bounded-replicas", {"song": {**GOOD["song"], "maxReplicas": 0}}),
    ("enough-replicas", {"song": {**GOOD["song"], "minReplicas": 0}}),
    ("request-timeout", {"song": {**GOOD["song"], "timeout": 90000}}),
    ("bounded-concurrency", {"song": {**GOOD["song"], "scaleTarget": 90000}}),
    ("canary-share", {"song": {**GOOD["song"], "canaryTrafficPercent": 90}}),
    ("disruption-budget", {"song": {**GOOD["song"], "minReplicas": 2}}),
    ("pinned-model", {"song": {**GOOD["song"], "tune": {"storageUri": "s3://a/b", "protocolVersion": "v2"}}}),
    ("model-source", {"song": {**GOOD["song"], "tune": {"storageUri": "http://a/7", "protocolVersion": "v2"}}}),
    ("image-by-digest", {"song": {**GOOD["song"], "tune": {"storageUri": "oci://a/b:7", "protocolVersion": "v2"}}}),
]


def resource(version: str, kind: str, spec: Any, **metadata: Any) -> Resource:
    props = {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "models", **metadata}}
    return Resource(type=f"kubernetes:{version}:{kind}", name="x", props={**props, "spec": spec})


def refused(*declared: Resource) -> set[str]:
    judge = Judge(POLICIES, [])
    found = [*(each for one in declared for each in judge.judge(one)), *judge.stack_findings(declared)]
    assert [each.message for each in found if "crashed" in each.message] == []
    return {each.policy.name for each in found}


@pytest.fixture
def _invented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORKLOADS, ("made.test", "Flock"), INVENTED)


@pytest.mark.usefixtures("_invented")
@pytest.mark.parametrize(("policy", "evil"), EVIL)
def test_a_kind_that_is_in_the_table_alone_is_judged_by_every_policy_of_its_sort(
    policy: str, evil: Mapping[str, Any]
) -> None:
    assert refused(resource("made.test/v1", "Flock", GOOD)) == set()
    assert policy in refused(resource("made.test/v1", "Flock", {**GOOD, **evil}))


MANY: list[tuple[str, str, str, float]] = [
    ("apps/v1", "Deployment", "replicas: 3\ntemplate: TEMPLATE", 3),
    ("apps/v1", "DaemonSet", "template: TEMPLATE", inf),
    ("batch/v1", "Job", "parallelism: 4\ntemplate: TEMPLATE", 4),
    ("batch/v1", "CronJob", "jobTemplate: {spec: {parallelism: 5, template: TEMPLATE}}", 5),
    ("jobset.x-k8s.io/v1alpha2", "JobSet",
     "replicatedJobs: [{replicas: 2, template: {spec: {parallelism: 3, template: TEMPLATE}}}]", 6),
    ("kubeflow.org/v1", "PyTorchJob", "pytorchReplicaSpecs: {Worker: {replicas: 7, template: TEMPLATE}}", 7),
    ("kubeflow.org/v1", "PyTorchJob",
     "{elasticPolicy: {maxReplicas: 9}, pytorchReplicaSpecs: {Worker: {replicas: 2, template: TEMPLATE}}}", 9),
    ("kubeflow.org/v2beta1", "MPIJob", "mpiReplicaSpecs: {Worker: {replicas: 8, template: TEMPLATE}}", 8),
    ("trainer.kubeflow.org/v1alpha1", "TrainJob", "trainer: {numNodes: 3, resourcesPerNode: RESOURCES}", 3),
    ("ray.io/v1", "RayCluster",
     "{headGroupSpec: {template: TEMPLATE}, workerGroupSpecs: [{maxReplicas: 4, numOfHosts: 2, template: TEMPLATE}]}",
     9),
    ("ray.io/v1", "RayJob",
     "rayClusterSpec: {enableInTreeAutoscaling: true, workerGroupSpecs: [{replicas: 1, template: TEMPLATE}]}", inf),
    ("ray.io/v1", "RayService", "rayClusterConfig: {workerGroupSpecs: [{minReplicas: 3, template: TEMPLATE}]}", 3),
    ("serving.kserve.io/v1beta1", "InferenceService", "predictor: {maxReplicas: 5, model: {resources: RESOURCES}}", 5),
    ("serving.kserve.io/v1beta1", "InferenceService", "predictor: {model: {resources: RESOURCES}}", inf),
    ("serving.kserve.io/v1beta1", "InferenceService",
     "predictor: {maxReplicas: 5, canaryTrafficPercent: 10, model: {resources: RESOURCES}}", 10),
    ("serving.knative.dev/v1", "Service",
     "template: {metadata: {annotations: {autoscaling.knative.dev/max-scale: '6'}}, spec: SPEC}", 6),
    ("serving.knative.dev/v1", "Service", "template: TEMPLATE", inf),
    ("argoproj.io/v1alpha1", "Workflow", "templates: [{name: a, container: MAIN}, {name: b, script: MAIN}]", 2),
    ("argoproj.io/v1alpha1", "Workflow",
     "templates: [{name: a, container: MAIN}, {name: d, dag: {tasks: [{template: a, withItems: [1, 2]}]}}]", inf),
    ("argoproj.io/v1alpha1", "Workflow",
     "{parallelism: 3, templates: [{name: a, container: MAIN}, {steps: [[{template: a, withParam: x}]]}]}", 3),
    ("batch.volcano.sh/v1alpha1", "Job", "tasks: [{replicas: 11, template: TEMPLATE}]", 11),
    ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet",
     "{replicas: 2, leaderWorkerTemplate: {size: 4, workerTemplate: TEMPLATE}}", 8),
    ("keda.sh/v1alpha1", "ScaledJob", "jobTargetRef: {template: TEMPLATE}", 100),
    ("sparkoperator.k8s.io/v1beta2", "SparkApplication",
     "{driver: {cores: 1}, executor: {}, sparkConf: {spark.executor.instances: '500'}}", 501),
    ("sparkoperator.k8s.io/v1beta2", "SparkApplication",
     "{driver: {cores: 1}, executor: {}, dynamicAllocation: {enabled: true}}", inf),
    ("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication",
     "template: {driver: {cores: 1}, executor: {cores: 2, instances: 3}}", 7),
    ("spark.stackable.tech/v1alpha1", "SparkApplication",
     "{driver: {config: {resources: {cpu: {max: '1'}}}},"
     " executor: {replicas: 3, config: {resources: {cpu: {max: '2'}}}}}", 7),
]  # fmt: skip
WORDS = {"TEMPLATE": TEMPLATE, "SPEC": SPEC, "MAIN": MAIN, "RESOURCES": MAIN["resources"]}


def written(value: Any) -> Any:
    """With what the words stand for."""
    if isinstance(value, dict):
        return {key: written(each) for key, each in value.items()}
    if isinstance(value, list):
        return [written(each) for each in value]
    return WORDS.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize(("version", "kind", "spec", "cores"), MANY)
def test_pods_are_counted_as_many_as_there_may_be(version: str, kind: str, spec: str, cores: float) -> None:
    declared = resource(version, kind, written(yaml.safe_load(spec)))
    assert of_workload(declared).cores == cores
    assert 0 <= costs.stack([declared]) < inf
    assert cores < inf or "known-cost" in refused(declared)


def test_what_runs_first_is_counted_beside_what_stays() -> None:
    first = {**MAIN, "resources": {"limits": {"cpu": 5, "memory": "1Gi"}}}
    stays = {**MAIN, "restartPolicy": "Always"}
    pod = {"containers": [MAIN, MAIN], "initContainers": [first, stays]}
    assert of_workload(resource("v1", "Pod", pod)).cores == 5
    assert of_workload(resource("v1", "Pod", {**pod, "initContainers": [stays, stays]})).cores == 4
