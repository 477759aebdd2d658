"""What pods and runs take at most: cores, memory, GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import pods
from ml_policies.shapes.quantities import GIB, java_bytes, number
from ml_policies.shapes.runs import FIRST_GENERATION, spec_of

GPUS = re.compile(
    r"^(nvidia\.com/(gpu|mig-).*|amd\.com/gpu.*|google\.com/tpu|gpu\.intel\.com/.*|aws\.amazon\.com/neuron.*)$"
)
"""What is paid for as a GPU: parts of one, and other accelerators too."""
REPLICATED = frozenset({"Deployment", "StatefulSet"})


@dataclass(frozen=True)
class Size:
    cores: float = 0.0
    memory: float = 0.0
    """GiB"""
    gpus: float = 0.0

    def __add__(self, other: Size) -> Size:
        return Size(self.cores + other.cores, self.memory + other.memory, self.gpus + other.gpus)

    def __or__(self, other: Size) -> Size:
        """What is enough for either."""
        return Size(max(self.cores, other.cores), max(self.memory, other.memory), max(self.gpus, other.gpus))

    def times(self, count: float) -> Size:
        return Size(self.cores * count, self.memory * count, self.gpus * count)


def total(sizes: Iterable[Size]) -> Size:
    return sum(sizes, Size())


def of_resources(resources: Mapping[str, Any] | None, *kinds: str) -> Size:
    """By limits where there are some, else by requests; `kinds` turns that round."""
    wanted: dict[str, Any] = {}
    for kind in reversed(kinds or ("limits", "requests")):
        wanted |= (resources or {}).get(kind) or {}
    gpus = sum(number(count) for name, count in wanted.items() if GPUS.match(name))
    return Size(number(wanted.get("cpu", 0)), number(wanted.get("memory", 0)) / GIB, gpus)


def of_pod(spec: Mapping[str, Any], *kinds: str) -> Size:
    """Of its containers together, or of one of those that run before them, one after the other."""
    before = [of_resources(each.get("resources"), *kinds) for each in spec.get("initContainers") or []]
    together = total(of_resources(each.get("resources"), *kinds) for each in spec.get("containers") or [])
    return reduce(Size.__or__, before, together)


def of_run(run: Resource) -> Size:
    """All that a run, of whatever kind, may take at the same time."""
    spec = spec_of(run)
    if run.kind in ("SparkApplication", "ScheduledSparkApplication"):
        return _spark(spec)
    if run.kind == "TrainJob":
        trainer = spec.get("trainer") or {}
        return of_resources(trainer.get("resourcesPerNode")).times(trainer.get("numNodes", 1))
    if run.kind == "RayJob":
        cluster = spec.get("rayClusterSpec") or {}
        return _template(cluster.get("headGroupSpec") or {}) + total(
            _workers(group) for group in cluster.get("workerGroupSpecs") or []
        )
    if run.kind in FIRST_GENERATION:
        groups = [each for name, found in run.spec.items() if name.endswith("ReplicaSpecs") for each in found.values()]
        return total(_template(each).times(each.get("replicas", 1)) for each in groups)
    return total(of_pod(pod.spec) for pod in pods(run)).times(spec.get("parallelism", 1))


def _template(holder: Mapping[str, Any]) -> Size:
    """Of the pod that it describes."""
    return of_pod((holder.get("template") or {}).get("spec") or {})


def _workers(group: Mapping[str, Any]) -> Size:
    most = group.get("maxReplicas", group.get("replicas", 1))
    return _template(group).times(most * group.get("numOfHosts", 1))


def _spark(spec: Mapping[str, Any]) -> Size:
    allocation = spec.get("dynamicAllocation") or {}
    settings = spec.get("sparkConf") or {}
    executors = allocation.get("maxExecutors") or settings.get("spark.dynamicAllocation.maxExecutors")
    counts = (executors, settings.get("spark.executor.instances"), (spec.get("executor") or {}).get("instances"))
    parts = {"driver": 1.0, "executor": max([float(each) for each in counts if each] or [_replicas(spec)])}
    return total(_spark_part(spec.get(name) or {}).times(float(count)) for name, count in parts.items())


def _replicas(spec: Mapping[str, Any]) -> int:
    return int((spec.get("executor") or {}).get("replicas") or 1)


def _spark_part(part: Mapping[str, Any]) -> Size:
    """Of Kubeflow's operator; Stackable's writes resources like its other products."""
    stackable = (part.get("config") or {}).get("resources")
    if stackable:
        memory, cores = stackable.get("memory") or {}, stackable.get("cpu") or {}
        return Size(number(cores.get("max", 0)), number(memory.get("limit", 0)) / GIB)
    memory = sum(java_bytes(part[field]) for field in ("memory", "memoryOverhead") if field in part) / GIB
    gpu = (part.get("gpu") or {}).get("quantity", 0)
    return Size(number(part.get("coreLimit") or part.get("cores") or 0), memory, gpu)
