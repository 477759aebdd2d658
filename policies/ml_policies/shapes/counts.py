"""How many pods there are at most of what a kind describes, by the fields that say so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.shapes.fields import at, path
from ml_policies.shapes.quantities import number

Counted = Callable[[Mapping[str, Any], Resource], float]
"""Of what holds the fields, in its resource."""
MAX_SCALE = ("autoscaling.knative.dev/max-scale", "autoscaling.knative.dev/maxScale")
DYNAMIC = "spark.dynamicAllocation"
LOOPS = ("withItems", "withParam", "withSequence")
DURATION = re.compile(r"([0-9.]+)(ms|h|m|s)")
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def most(*fields: str, default: float = 1) -> Counted:
    """The largest of these fields, which are counts; the default where there is none."""
    places = [path(each) for each in fields]

    def counted(holder: Mapping[str, Any], _: Resource) -> float:
        found = [number(value) for place in places for _, value in at(holder, place) if value is not None]
        return max(found, default=default)

    return counted


def scaled(part: Mapping[str, Any], _: Resource) -> float:
    """A part of an InferenceService: no maximum is none, and a canary has replicas beside those of before."""
    most_of_one = number(part.get("maxReplicas") or 0) or inf
    return most_of_one * (2 if part.get("canaryTrafficPercent") else 1)


def of_revision(template: Mapping[str, Any], _: Resource) -> float:
    """Knative's, which says it by an annotation."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return max((number(annotations[key]) for key in MAX_SCALE if annotations.get(key)), default=0.0) or inf


def ray_workers(group: Mapping[str, Any], resource: Resource) -> float:
    """KubeRay's own default of a maximum is none, where Ray asks for workers by itself."""
    scales = any(value for place in _clusters("enableInTreeAutoscaling") for _, value in at(resource.props, place))
    default = inf if scales and group.get("maxReplicas") is None else 1
    found = max(most("maxReplicas", "replicas", "minReplicas")(group, resource), default)
    return found * number(group.get("numOfHosts") or 1)


def _clusters(field: str) -> list[tuple[str, ...]]:
    return [path(f"{each}.{field}") for each in ("spec", "spec.rayClusterSpec", "spec.rayClusterConfig")]


def executors(executor: Mapping[str, Any], resource: Resource) -> float:
    """Spark's, by a number, or by what dynamic allocation may come to."""
    spec = spark_spec(resource)
    settings, allocation = spec.get("sparkConf") or {}, spec.get("dynamicAllocation") or {}
    dynamic = allocation.get("enabled") or str(settings.get(f"{DYNAMIC}.enabled", "")).lower() == "true"
    largest = allocation.get("maxExecutors") or settings.get(f"{DYNAMIC}.maxExecutors")
    counts = [
        largest, settings.get("spark.executor.instances"), executor.get("instances"), executor.get("replicas"),
        inf if dynamic and not largest else None,
    ]  # fmt: skip
    return max((number(each) for each in counts if each), default=1.0)


def spark_spec(resource: Resource) -> Mapping[str, Any]:
    """Of an application, or of what a schedule makes applications of."""
    found = resource.spec.get("template") if resource.kind.startswith("Scheduled") else resource.spec
    return found or {}


def of_training(group: Mapping[str, Any], resource: Resource) -> float:
    """The training operator's, which may be elastic."""
    return most("replicas", "maxReplicas")({**(resource.spec.get("elasticPolicy") or {}), **group}, resource)


def of_group(_: Mapping[str, Any], resource: Resource) -> float:
    """Workers of one leader."""
    return most("leaderWorkerTemplate.size")(resource.spec, resource)


def argo_templates(template: Mapping[str, Any], resource: Resource) -> float:
    """As often as steps or tasks name it, in a loop as often as the workflow may run pods at once."""
    spec = resource.spec.get("workflowSpec") or resource.spec
    calls = [each for each in _calls(spec.get("templates") or []) if each.get("template") == template.get("name")]
    found = inf if any(each.get(loop) for each in calls for loop in LOOPS) else max(len(calls), 1)
    return min(found, number(spec.get("parallelism") or inf))


def _calls(templates: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for each in templates:
        found += (each.get("dag") or {}).get("tasks") or []
        for steps in each.get("steps") or []:
            found += [steps] if isinstance(steps, Mapping) else list(steps)
    return found


def seconds(given: Any) -> float:
    """Of a number, or of a duration as Go writes it: 1h30m.

    Raises:
        ValueError: it is neither.
    """
    parts = DURATION.findall(str(given))
    if parts and "".join(map("".join, parts)) == str(given):
        return sum(float(count) * UNITS[unit] for count, unit in parts)
    return number(given)
