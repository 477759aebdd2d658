"""Pods and containers wherever they are declared, as several policies look at them.

Known kinds say where theirs are (workloads.py). Whatever else looks like a pod or a container is judged as one, in any
kind and beside any other, so that neither an unknown kind nor a decoy hides one. What an operator completes is
`partial`: what it doesn't say is no problem of its own, what it says is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.engine.values import UnknownError, below, listed, mapped
from ml_policies.shapes.fields import Path
from ml_policies.shapes.model import Workload
from ml_policies.shapes.translated import TRANSLATED
from ml_policies.shapes.workloads import workload

PASSIVE = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Secret"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
    }
)
"""They run nothing; schemas have the names of a pod's fields."""
FIRST = "initContainers"
LISTS = (FIRST, "containers", "ephemeralContainers", "sidecars")
NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")
OWN = frozenset({"privileged", "capabilities", "allowPrivilegeEscalation", "procMount", "readOnlyRootFilesystem"})
"""Fields of a security context that only a container's has."""
BESIDE = frozenset(
    {"command", "args", "env", "envFrom", "ports", "resources", "securityContext", "volumeMounts", "source"}
)
"""What is beside the image of a container; an image alone may also be a picture."""
UNJUDGED = frozenset({"spec", "template", *LISTS, *TRANSLATED})
"""Where a pod may be, if the value is not known yet."""


@dataclass(frozen=True, eq=False)
class Pod:
    resource: Resource
    spec: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    """Whether it is a pod as it is declared, to which no operator adds."""
    path: Path = ()
    containers: list[Container] = field(default_factory=list)

    @property
    def copies(self) -> float:
        """How many of it there are at most."""
        return workload(self.resource).copies(self.resource, self.path)

    @property
    def context(self) -> Mapping[str, Any]:
        return self.spec.get("securityContext") or {}

    @property
    def volumes(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """By name; then UnknownError if there may be more."""
        known, unknown = below(self.spec.get("volumes"))
        yield from ((str(below(each)[0].get("name") or "?"), each) for each in known.values() if mapped(each))
        raise_first(unknown)


@dataclass(frozen=True, eq=False)
class Container:
    pod: Pod
    spec: Mapping[str, Any]
    path: Path
    partial: bool

    @property
    def name(self) -> str:
        """Its own, or that of its place."""
        label = ".".join(step for step in self.path[-2:] if step != "spec") or self.pod.resource.name
        return f"container {below(self.spec)[0].get('name') or label}"

    @property
    def first(self) -> bool:
        """Whether it has ended when the others start."""
        return self.path[-2:-1] == (FIRST,) and self.spec.get("restartPolicy") != "Always"

    @property
    def image(self) -> str | None:
        """Stackable's kinds have it as a mapping, or as `custom`."""
        found = self.spec.get("image", self.spec.get("custom"))
        named = found.get("custom") if mapped(found) else found
        return None if named is None else str(named)

    @property
    def context(self) -> Mapping[str, Any]:
        return self.spec.get("securityContext") or {}

    @property
    def resources(self) -> Mapping[str, Any]:
        return self.spec.get("resources") or self.spec.get("resourcesPerNode") or {}

    @property
    def variables(self) -> Iterator[tuple[str, Any]]:
        """Names and plain values, of all forms; then UnknownError if one is not known."""
        unknown: dict[str, str] = {}
        for each in below(self.spec.get("env") or [])[0].values():
            known, missing = below(each)
            unknown |= {key: path for key, path in missing.items() if key in ("name", "value")}
            yield str(known.get("name", "")), known.get("value")
        for form in ("envVars", "envOverrides"):
            known, missing = below(self.spec.get(form) or {})
            unknown |= missing
            yield from known.items()
        raise_first(unknown)


def raise_first(unknown: Mapping[str, str]) -> None:
    for where in unknown.values():
        raise UnknownError(where)


def pods(resource: Resource) -> Iterator[Pod]:
    """All of them; then UnknownError if there may be more in what is not known."""
    if not resource.kubernetes or (resource.group, resource.kind) in PASSIVE:
        return
    search = _searched(resource)
    yield from search.pods
    if search.unknown:
        raise UnknownError(search.unknown[0])


def containers(resource: Resource) -> Iterator[Container]:
    """Those of all its pods: those that run first, sidecars, and what an operator makes containers of included."""
    yield from (each for pod in pods(resource) for each in pod.containers)


@lru_cache(maxsize=4)  # all policies ask about one resource before any asks about the next
def _searched(resource: Resource) -> _Search:
    search = _Search(resource, workload(resource))
    search.look(resource.props, (), {}, None)
    return search


class _Search:
    def __init__(self, resource: Resource, kind: Workload) -> None:
        self._resource, self._kind = resource, kind
        self.pods: list[Pod] = []
        self.unknown: list[str] = []

    def look(self, value: Any, path: Path, above: Mapping[str, Any], pod: Pod | None) -> None:
        """Takes a value for what it is, and looks on below. `pod` is the one whose field or element it is."""
        known, unknown = below(value)
        self.unknown += [where for key, where in unknown.items() if self._may_hide(path, key)]
        if mapped(value):
            pod = self._taken(value, known, unknown, path, above, pod)
        for key, each in known.items():
            if key in TRANSLATED and each:
                self.look(TRANSLATED[key](each), (*path, key), {}, None)
            elif mapped(each) or listed(each):
                kept = pod if mapped(value) or path[-1] in LISTS else None
                self.look(each, (*path, key), known, kept)

    def _taken(
        self, value: Any, known: Mapping[str, Any], unknown: Mapping[str, str], path: Path, above: Mapping[str, Any],
        pod: Pod | None,
    ) -> Pod | None:  # fmt: skip
        """The pod to which belongs what is below."""
        element = pod is not None and path[-2:-1] and path[-2] in LISTS
        if self._kind.has_pod(path) or (not element and _is_pod(known, unknown)):
            metadata: Any = (above if path[-1:] == ("spec",) else known).get("metadata")
            whole = listed(known.get("containers")) and not (self._kind.completed or self._resource.patch)
            pod = Pod(self._resource, value, metadata if mapped(metadata) else {}, whole, path)
            self.pods.append(pod)
        described = self._kind.has_container(path)
        if element or described or _is_container(known):
            holder = pod if pod is not None and (element or described) else self._alone(path)
            partial = self._partial(path, known) if element or described else True
            holder.containers.append(Container(holder, value, path, partial))
        return pod

    def _partial(self, path: Path, known: Mapping[str, Any]) -> bool:
        """In a completed kind, containers with an image of their own are the user's, and stand for themselves."""
        if self._resource.patch or not TRANSLATED.keys().isdisjoint(path):
            return True
        return self._kind.completed and (self._kind.has_container(path) or "image" not in known)

    def _may_hide(self, path: Path, key: str) -> bool:
        """Whether an unknown value there may have pods or containers."""
        here = (*path, key)
        in_list = path[-1:] and path[-1] in LISTS
        return bool(in_list) or key in UNJUDGED or self._kind.has_pod(here) or self._kind.has_container(here)

    def _alone(self, path: Path) -> Pod:
        pod = Pod(self._resource, {}, path=() if not TRANSLATED.keys().isdisjoint(path) else path)
        self.pods.append(pod)
        return pod


def _is_pod(known: Mapping[str, Any], unknown: Mapping[str, str]) -> bool:
    if any(listed(known.get(name)) for name in LISTS) or any(known.get(name) or name in unknown for name in NAMESPACES):
        return True
    return listed(known.get("volumes")) and any(map(mapped, below(known["volumes"])[0].values()))


def _is_container(known: Mapping[str, Any]) -> bool:
    env = known.get("env")
    return (
        (isinstance(known.get("image"), str) and not BESIDE.isdisjoint(known))
        or not OWN.isdisjoint(below(known.get("securityContext"))[0])
        or (listed(env) and any(mapped(each) and "name" in each for each in below(env)[0].values()))
    )
