"""Runs: the workloads that end by themselves, by the table of kinds."""

from __future__ import annotations

from collections.abc import Iterable

from ml_policies.engine.resource import Resource
from ml_policies.shapes.workloads import workload


def runs(resource: Resource) -> Iterable[Resource]:
    """The resource, if it is one or a template of one."""
    return (resource,) if workload(resource).run else ()


def written(where: str) -> str:
    """A place as people name it: that in the specification."""
    return where.removeprefix("spec.")
