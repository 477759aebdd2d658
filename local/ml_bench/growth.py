"""How time and memory grow with the number of objects: a bundle that is made up, through the pipeline to the cluster.

Its objects are of the kinds that releases consist of. No pod runs, so that what is measured is the program and the
engine, not the software. Each size counts with the best of several rounds: other load makes a run longer, never
shorter.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ml_local.node.layout import Layout

from ml_bench.measured import REPEATS, Project, Run

SIZES = (250, 500, 1000)
NAMESPACE = "bench"
PROGRAM = "from ml_bench.made_up import declare\n\ndeclare()\n"
_STEPS: Mapping[str, Callable[[Project], Run]] = {
    "preview_s": Project.preview,
    "up_s": Project.up,
    "noop_s": Project.up,
    "destroy_s": Project.destroy,
}


def growth(layout: Layout) -> dict[str, dict[str, float]]:
    """The figures of each number of objects, and how much more one object takes in the largest than in the smallest:
    1 is linear growth."""
    figures = {str(size): _measure(layout, size) for size in SIZES}
    first, *_, last = figures.values()
    more = SIZES[-1] / SIZES[0]
    linear = {name: round(last[name] / first[name] / more, 2) for name in first if name in _STEPS}
    return {**figures, "an_object": linear}


def _measure(layout: Layout, size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="ml-platform-bench-") as folder:
        bundle = Path(folder) / "bundle.yaml"
        bundle.write_text(yaml.safe_dump_all(_objects(size)))
        project = Project(Path(folder) / "project", layout, PROGRAM, {"ML_PLATFORM_BENCH_BUNDLE": str(bundle)})
        project.prepare()
        policies = project.policies()
        rounds = [_round(project) for _ in range(REPEATS)]
    runs = [run for each in rounds for run in each.values()]
    peaks = {f"{role}_mib": float(max(run.mib.get(role, 0) for run in runs)) for role in ("program", "cli", "provider")}
    return {**{step: min(each[step].seconds for each in rounds) for step in _STEPS}, "policies_s": policies, **peaks}


def _round(project: Project) -> dict[str, Run]:
    """From nothing to all objects and back."""
    return {step: take(project) for step, take in _STEPS.items()}


def _objects(count: int) -> Iterator[dict[str, Any]]:
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    for number in range(count - 1):
        kind, fields = _KINDS[number % len(_KINDS)]
        group = {"Deployment": "apps/v1", "NetworkPolicy": "networking.k8s.io/v1"}.get(kind, "v1")
        if kind in ("Role", "RoleBinding", "ClusterRole"):
            group = "rbac.authorization.k8s.io/v1"
        place = {} if kind == "ClusterRole" else {"namespace": NAMESPACE}
        yield {"apiVersion": group, "kind": kind, "metadata": {"name": f"bench-{number}", **place}, **fields}


_RULES = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]}]
_SELECTOR = {"app": "bench"}
_CONTAINER = {
    "name": "manager",
    "image": "registry.test/manager:1",
    "args": [f"--feature-{number}=true" for number in range(10)],
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}},
}
_KINDS: list[tuple[str, dict[str, Any]]] = [
    ("ServiceAccount", {}),
    ("ConfigMap", {"data": {f"key-{number}": "value " * 20 for number in range(10)}}),
    ("Role", {"rules": _RULES}),
    (
        "RoleBinding",
        {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "bench-2"},
            "subjects": [{"kind": "ServiceAccount", "name": "bench-0", "namespace": NAMESPACE}],
        },
    ),
    ("ClusterRole", {"rules": _RULES}),
    ("Secret", {"stringData": {"token": "not secret"}}),
    ("Service", {"spec": {"selector": _SELECTOR, "ports": [{"name": "http", "port": 80}]}}),
    (
        "Deployment",
        {
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": _SELECTOR},
                "template": {"metadata": {"labels": _SELECTOR}, "spec": {"containers": [_CONTAINER]}},
            }
        },
    ),
    ("NetworkPolicy", {"spec": {"podSelector": _SELECTOR, "policyTypes": ["Ingress"]}}),
]
