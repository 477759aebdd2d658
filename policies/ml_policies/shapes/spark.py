"""What Spark's operators make pods of: sizes in Spark's own words, in an application's fields and in its properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.counts import executors, spark_spec
from ml_policies.shapes.quantities import java_bytes, number

ROLES = ("driver", "executor")
MEMORY = 1024.0**3
"""What a role has where nothing is said."""
LEAST_OVERHEAD = 384 * 1024.0**2
OVERHEAD = 0.4
"""Of the memory, for programs that are not of the JVM alone."""
AGAIN = ("onFailureRetries", "onSubmissionFailureRetries")
Fields = Mapping[str, Any]


def made(resource: Resource) -> Iterator[tuple[Fields, float]]:
    """`resources` of a driver and an executor, and how many there are of each."""
    spec = spark_spec(resource)
    properties = spec.get("sparkConf") or {}
    for role in ROLES:
        part = spec.get(role) or {}
        stackable = (part.get("config") or {}).get("resources")
        limits = _stackable(stackable) if stackable else _limits(role, part, properties, spec)
        yield {"limits": limits}, executors(part, resource) if role == "executor" else 1


def _stackable(given: Fields) -> Fields:
    cores, memory = given.get("cpu") or {}, given.get("memory") or {}
    return {"cpu": cores.get("max") or cores.get("min") or 0, "memory": memory.get("limit") or 0}


def _limits(role: str, part: Fields, properties: Fields, spec: Fields) -> Fields:
    def said(*names: str) -> list[Any]:
        found = (properties.get(name.replace("*", role)) for name in names)
        return [each for each in found if each is not None]

    cores = [part.get("coreLimit"), *said("spark.kubernetes.*.limit.cores")]
    asked = [part.get("cores"), part.get("coreRequest"), *said("spark.*.cores", "spark.kubernetes.*.request.cores")]
    gpus = [(part.get("gpu") or {}).get("quantity"), *said("spark.*.resource.gpu.amount")]
    most = max((number(each) for each in cores if each), default=0)
    return {
        "cpu": most or max((number(each) for each in asked if each), default=1),
        "memory": _memory(part, said, spec),
        "nvidia.com/gpu": max((number(each) for each in gpus if each), default=0),
    }


def _memory(part: Fields, said: Any, spec: Fields) -> float:
    """With what is beside the heap: an amount, or a share of it."""
    heaps = [part.get("memory"), *said("spark.*.memory")]
    heap = max((java_bytes(each) for each in heaps if each), default=MEMORY)
    beside = [each for each in (part.get("memoryOverhead"), *said("spark.*.memoryOverhead")) if each]
    factors = [
        spec.get("memoryOverheadFactor"),
        *said("spark.*.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor"),
    ]
    factor = max((number(each) for each in factors if each), default=OVERHEAD)
    overhead = max((_overhead(each, heap) for each in beside), default=max(factor * heap, LEAST_OVERHEAD))
    others = said("spark.*.pyspark.memory", "spark.memory.offHeap.size")
    return heap + overhead + sum(java_bytes(each) for each in others)


def _overhead(given: Any, heap: float) -> float:
    """Some write a share of the heap where an amount is meant."""
    text = str(given)
    return float(text) * heap if text.startswith(("0.", ".")) and text[-1].isdigit() else java_bytes(given)


def tried(spec: str) -> Any:
    """How often an application is tried again: Kubeflow's operator by its restart policy, Stackable's by a number."""

    def said(resource: Resource) -> Iterator[tuple[str, float]]:
        found = spark_spec(resource)
        restart = found.get("restartPolicy") or {}
        if restart.get("type") == "Always":
            yield f"{spec}.restartPolicy.type to Never, or its retries", inf
        elif restart.get("type") == "OnFailure":
            yield from ((f"{spec}.restartPolicy.{field}", number(restart.get(field) or 0)) for field in AGAIN)
        submission = (found.get("job") or {}).get("config") or {}
        yield f"{spec}.job.config.retryOnFailureCount", number(submission.get("retryOnFailureCount") or 0)

    return said
