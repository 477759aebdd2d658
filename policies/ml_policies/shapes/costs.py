"""What a stack costs a month at most: its nodes if it makes some, else what its pods ask for; and the same by team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ml_policies.engine.resource import Resource
from ml_policies.shapes import prices
from ml_policies.shapes.edge import public
from ml_policies.shapes.nodes import Pool, node_pools
from ml_policies.shapes.pods import containers, pods
from ml_policies.shapes.quantities import GIB, number
from ml_policies.shapes.runs import FIRST_GENERATION
from ml_policies.shapes.sizes import REPLICATED, Size, of_pod, of_resources, of_run, total

RUNS = frozenset({*FIRST_GENERATION, "SparkApplication", "RayJob", "TrainJob", "Job"})
STANDING = frozenset({"InferenceService", "DaemonSet", "Pod", *REPLICATED})
NOBODY = "platform"


def stack(resources: Sequence[Resource]) -> float:
    """Everything that is paid for by itself."""
    pools = [pool for resource in resources for pool in node_pools(resource)]
    nodes = sum(_pool(pool) for pool in pools)
    clusters = prices.table()["clusters"]
    planes = sum(prices.month(clusters[each.type]) for each in resources if each.type in clusters)
    balancers = prices.monthly("load_balancer") * sum(map(public, resources))
    if not pools:
        nodes = sum(teams(resources, "").values())
    return float(nodes + planes + balancers)


def unpriced(resources: Sequence[Resource]) -> Iterator[Pool]:
    for resource in resources:
        yield from (pool for pool in node_pools(resource) if prices.node(pool) is None)


def teams(resources: Sequence[Resource], label: str) -> dict[str, float]:
    """Of what is in the namespaces of each team: pods by what they ask for, volumes by size. Runs as if they never
    ended."""
    owners = {each.metadata.get("name"): each.labels.get(label) for each in resources if each.kind == "Namespace"}
    found: defaultdict[str, float] = defaultdict(float)
    for each in resources:
        cost = prices.month(prices.share(_standing(each))) + prices.monthly("disk_gib") * _disks(each)
        if cost:
            found[str(each.labels.get(label) or owners.get(each.namespace) or NOBODY)] += cost
    return dict(found)


def _pool(pool: Pool) -> float:
    hourly = prices.node(pool) or 0.0
    return (pool.maximum or 0) * (prices.month(hourly) + prices.monthly("disk_gib") * pool.disk)


def _standing(resource: Resource) -> Size:
    """What it asks for at its largest."""
    if resource.kind in RUNS:
        return of_run(resource)
    if resource.kind not in STANDING:
        return Size()
    if resource.kind == "InferenceService":
        most = (resource.spec.get("predictor") or {}).get("maxReplicas") or 1
        return total(of_resources(each.resources, "requests", "limits") for each in containers(resource)).times(most)
    replicas = resource.spec.get("replicas", 1) if resource.kind in REPLICATED else 1
    return total(of_pod(pod.spec, "requests", "limits") for pod in pods(resource)).times(replicas)


def _disks(resource: Resource) -> float:
    """GiB of the volumes that it claims."""
    claims = resource.spec.get("volumeClaimTemplates") or [] if resource.kind == "StatefulSet" else []
    specs = [resource.spec] if resource.kind == "PersistentVolumeClaim" else [each["spec"] for each in claims]
    return sum(number(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0)) for spec in specs) / GIB
