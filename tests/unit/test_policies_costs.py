"""The cost of a month is the most that it can be, or what keeps it from being that is told."""

from __future__ import annotations

from typing import Any

import pytest
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.money import known_cost
from ml_policies.shapes import costs

CORE = {"requests": {"cpu": 1, "memory": "1Gi"}}
POD = {"spec": {"containers": [{"name": "main", "image": "x", "resources": CORE}]}}


def resource(version: str, kind: str, **spec: Any) -> Resource:
    props = {"apiVersion": version, "kind": kind, "metadata": {"name": "web", "namespace": "models"}, "spec": spec}
    return Resource(type=f"kubernetes:{version}:{kind}", name="web", props=props)


def cloud(kind: str, **props: Any) -> Resource:
    return Resource(type=kind, name="cloud", props=props)


WEB = resource("apps/v1", "Deployment", replicas=2, template=POD)
VOLUME = resource("v1", "PersistentVolumeClaim", resources={"requests": {"storage": "1000Gi"}})
POOL = cloud("aws:eks/nodeGroup:NodeGroup", instanceTypes=["m5.xlarge"], scalingConfig={"maxSize": 1})
DEARER = cloud("aws:eks/nodeGroup:NodeGroup", instanceTypes=["m5.xlarge", "g5.xlarge"], scalingConfig={"maxSize": 1})
TARGET = {"kind": "Deployment", "name": "web"}


@pytest.mark.parametrize(
    ("version", "kind", "most"),
    [("autoscaling/v2", "HorizontalPodAutoscaler", {"maxReplicas": 10}), ("keda.sh/v1", "ScaledObject", {})],
)
def test_an_autoscaler_may_make_as_many_as_it_says(version: str, kind: str, most: dict[str, Any]) -> None:
    scaler = resource(version, kind, scaleTargetRef=TARGET, **most)
    replicas = most.get("maxReplicas", 100)
    assert costs.stack([WEB, scaler]) == pytest.approx(costs.stack([WEB]) / 2 * replicas)


def test_volumes_are_paid_beside_nodes_and_pods_with_them() -> None:
    assert costs.stack([POOL, VOLUME]) == pytest.approx(costs.stack([POOL]) + costs.stack([VOLUME]))
    assert costs.stack([POOL, WEB]) == costs.stack([POOL])
    three = resource("apps/v1", "StatefulSet", replicas=3, template=POD, volumeClaimTemplates=[{"spec": VOLUME.spec}])
    assert costs.stack([POOL, three]) == pytest.approx(costs.stack([POOL]) + 3 * costs.stack([VOLUME]))


def test_nodes_cost_what_the_dearest_of_their_machines_costs() -> None:
    assert costs.stack([DEARER]) > costs.stack([POOL]) * 2


def test_a_cluster_that_makes_nodes_for_its_pods_is_paid_by_these() -> None:
    autopilot = cloud("gcp:container/cluster:Cluster", enableAutopilot=True)
    assert costs.stack([autopilot, WEB]) == pytest.approx(costs.stack([autopilot]) + costs.stack([WEB]))


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (cloud("aws:ec2/instance:Instance", instanceType="z9.huge"), "no price for its machines"),
        (cloud("aws:sagemaker/endpoint:Endpoint"), "does not know what a aws:sagemaker/endpoint:Endpoint costs"),
        (cloud("gcp:container/cluster:Cluster", clusterAutoscaling={"enabled": True}), "it makes nodes by itself"),
        (cloud("gcp:container/nodePool:NodePool", autoscaling={}), "nothing bounds its number of nodes"),
        (resource("apps/v1", "DaemonSet", template=POD), "nothing bounds how many pods it has"),
        (
            resource("apps/v1", "Deployment", template={"spec": {"containers": [{"name": "a"}]}}),
            "how much cpu and memory",
        ),
        (resource("batch/v1", "CronJob", jobTemplate={"spec": {"template": POD}}), "may go on beside each other"),
        (resource("karpenter.sh/v1", "NodePool"), "Karpenter makes nodes"),
        (resource("autoscaling/v2", "HorizontalPodAutoscaler", maxReplicas=3), "does not name what it scales"),
    ],
)
def test_what_has_no_price_or_no_end_is_told(declared: Resource, words: str) -> None:
    stack = Stack([declared])
    assert words in " ".join(known_cost.check(declared, stack, known_cost.NoParameters()))
