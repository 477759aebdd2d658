"""Somebody owns it."""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.buckets import AMAZON, AMAZON_BEFORE, GOOGLE, IONOS

WORK = "ml-platform/workloads"
"""The label of namespaces for work."""
TAGGED = {
    "gcp:container/cluster:Cluster": "resourceLabels",
    GOOGLE: "labels",
    "aws:eks/cluster:Cluster": "tags",
    AMAZON: "tags",
    AMAZON_BEFORE: "tags",
    IONOS: "tags",
}


class Labels(Parameters):
    labels: tuple[str, ...] = ("ml-platform/owner", "ml-platform/team", "ml-platform/cost-centre")
    """Of namespaces for work. Clouds have their last words: owner, team, cost-centre."""


def owned(resource: Resource) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Labels or tags, and whether they are a cloud's."""
    if resource.kind == "Namespace" and resource.labels.get(WORK) == "true":
        yield resource.labels, False
    elif resource.type in TAGGED:
        yield resource.props.get(TAGGED[resource.type]) or {}, True


def check(found: tuple[Mapping[str, Any], bool], parameters: Labels) -> Iterator[str]:
    labels, of_cloud = found
    wanted = [label.rpartition("/")[2] if of_cloud else label for label in parameters.labels]
    if missing := [label for label in wanted if not labels.get(label)]:
        yield f"it has no {', no '.join(missing)}; set ml-platform:ownership, so that somebody can be asked, and billed"


POLICY = ResourcePolicy(
    name="ownership-labels",
    asks="Namespaces for work, clusters and buckets name their owner, team and cost centre.",
    why="At night somebody must be called, and at the end of the month somebody pays.",
    parameters=Labels,
    level="advisory",
    of=owned,
    check=check,
    example="""
apiVersion: v1
kind: Namespace
metadata: {name: models, labels: {ml-platform/workloads: "true"}}
""",
)
