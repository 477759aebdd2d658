"""The objects of one run, as an API server has them."""

from __future__ import annotations

import json
from typing import Any

RUN, NAMESPACE = "iris-0a1b2c3d", "models"


def job(condition: str | None = None, message: str = "") -> dict[str, Any]:
    conditions = [{"type": condition, "status": "True", "message": message}] if condition else []
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": RUN, "namespace": NAMESPACE, "uid": "1", "labels": {"app": "iris"}},
        "spec": {
            "backoffLimit": 2,
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "1"}},
            "template": {
                "metadata": {"labels": {"app": "iris", "batch.kubernetes.io/controller-uid": "1"}},
                "spec": {},
            },
        },
        "status": {"conditions": conditions},
    }


def verdict(*, accepted: bool = True, **outputs: str) -> dict[str, Any]:
    content = {
        "accepted": accepted,
        "outputs": outputs,
        "rule": "accepted" if accepted else "threshold",
        "reason": "accuracy 0.9 is below 0.95",
        "numbers": {"threshold": 0.95, "accuracy": 0.9},
    }
    meta = {"name": RUN, "namespace": NAMESPACE}
    return {"kind": "ConfigMap", "metadata": meta, "data": {"verdict.json": json.dumps(content)}}


def pod(waiting: dict[str, str] | None = None) -> dict[str, Any]:
    labels = {"batch.kubernetes.io/job-name": RUN}
    meta = {"name": f"{RUN}-x", "namespace": NAMESPACE, "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"kind": "Pod", "metadata": meta, "status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}
