"""What pods and workloads take at most: cores, memory, GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import Container, Pod, pods
from ml_policies.shapes.quantities import GIB, number
from ml_policies.shapes.workloads import workload

GPUS = re.compile(
    r"^(nvidia\.com/(gpu|mig-).*|amd\.com/gpu.*|google\.com/tpu|gpu\.intel\.com/.*|aws\.amazon\.com/neuron.*"
    r"|habana\.ai/gaudi|.*/v?gpus?)$"
)
"""What is paid for as a GPU: parts of one, and other accelerators too."""


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
        """Of nothing, even without end, there is nothing."""
        return Size(*(each * count if each else 0.0 for each in (self.cores, self.memory, self.gpus)))


def total(sizes: Iterable[Size]) -> Size:
    return sum(sizes, Size())


def of_resources(resources: Mapping[str, Any] | None) -> Size:
    """By limits where there are some, else by requests."""
    wanted: dict[str, Any] = {}
    for kind in ("requests", "limits"):
        wanted |= (resources or {}).get(kind) or {}
    gpus = sum(number(count) for name, count in wanted.items() if GPUS.match(name))
    return Size(number(wanted.get("cpu", 0)), number(wanted.get("memory", 0)) / GIB, gpus)


def of_pod(pod: Pod) -> Size:
    """Of its containers together, or of one of those that run before them, one after the other; or what it says as a
    whole."""
    first = [each for each in pod.containers if each.first]
    size = total(_of(each) for each in pod.containers if each not in first)
    for each in first:
        size |= _of(each)
    return size | of_resources(pod.spec.get("resources")) if pod.whole else size


def _of(container: Container) -> Size:
    return of_resources(container.resources)


def of_workload(resource: Resource) -> Size:
    """All that it may take at the same time."""
    written = total(of_pod(pod).times(pod.copies) for pod in pods(resource))
    made = workload(resource).made
    return written + total(of_resources(each).times(count) for each, count in (made(resource) if made else ()))
