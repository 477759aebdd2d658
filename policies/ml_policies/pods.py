"""Where pods are specified: in workloads of any kind, and in served models."""

from collections.abc import Iterator
from typing import Any

from ml_policies.policy import Manifest

TEMPLATED = frozenset({"DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})


def templates(manifest: Manifest) -> Iterator[Manifest]:
    """The pod templates of an object, each with its `metadata` and `spec`."""
    kind = manifest["kind"]
    if kind == "Pod":
        yield manifest
    elif kind in TEMPLATED:
        yield manifest["spec"]["template"]
    elif kind == "CronJob":
        yield manifest["spec"]["jobTemplate"]["spec"]["template"]
    elif kind == "InferenceService" and "containers" in manifest["spec"]["predictor"]:
        yield {"spec": manifest["spec"]["predictor"]}


def containers(template: Manifest) -> Iterator[dict[str, Any]]:
    """All containers of a pod, those that run first included."""
    for field in ("initContainers", "containers"):
        if field in template["spec"]:
            yield from template["spec"][field] or []
