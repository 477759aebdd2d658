"""Transforms of pods: sizes, arguments, environment, annotations, ports, pull secrets."""

from collections.abc import Mapping
from typing import Any

from ml_platform import pods
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.metadata import with_metadata
from ml_platform.bundles.transforms.transform import Aimed, Transform

_TEMPLATES = frozenset({"DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})
_RESOURCES = {
    "cpu_request": ("requests", "cpu"),
    "memory_request": ("requests", "memory"),
    "cpu_limit": ("limits", "cpu"),
    "memory_limit": ("limits", "memory"),
}


def resource_sizes(sizes: Mapping[str, Mapping[str, str]]) -> Transform:
    """Sets requests and limits (cpu_request, memory_request, cpu_limit, memory_limit) of the first container of each
    workload named in `sizes`; the others stay as the release has them.

    Raises:
        BundleError: a size has another key.
    """
    unknown = {key for size in sizes.values() for key in size} - set(_RESOURCES)
    if unknown:
        raise BundleError(f"A size has no {sorted(unknown)[0]!r}; it has {', '.join(_RESOURCES)}.")

    def transform(item: Object) -> Object:
        size = sizes.get(item["metadata"]["name"])
        if size is None or item["kind"] not in _TEMPLATES:
            return item
        return _containers(item, lambda container: _sized(container, size), only_first=True)

    return transform


def _sized(container: Object, size: Mapping[str, str]) -> Object:
    resources = dict(container.get("resources") or {})
    for key, value in size.items():
        part, resource = _RESOURCES[key]
        resources[part] = {**(resources.get(part) or {}), resource: value}
    return {**container, "resources": resources}


def environment(kind: str, name: str, variables: Mapping[str, Any]) -> Transform:
    """Sets environment variables, as pods.variables() takes them, on the containers of one object: a workload, or
    whatever has a `spec.container`."""

    def change(container: Object) -> Object:
        kept = [entry for entry in container.get("env") or [] if entry["name"] not in variables]
        return {**container, "env": kept + pods.variables(variables)}

    return Aimed(kind, name, lambda item: _containers(item, change))


def arguments(kind: str, name: str, flags: Mapping[str, Any]) -> Transform:
    """Sets arguments of the form --flag=value on the first container of a workload, in the place of the same flag."""

    def change(container: Object) -> Object:
        kept = [arg for arg in container.get("args") or [] if _flag(arg) not in flags]
        return {**container, "args": kept + [f"{flag}={value}" for flag, value in flags.items()]}

    return Aimed(kind, name, lambda item: _containers(item, change, only_first=True))


def _flag(argument: Any) -> str:
    return str(argument).partition("=")[0] if isinstance(argument, str) else ""


def host_port(kind: str, name: str, container_port: int, port: int, address: str) -> Transform:
    """Publishes a port of the first container on the node, at `address`."""

    def change(container: Object) -> Object:
        ports = container.get("ports") or []
        published = {"containerPort": container_port, "hostPort": port, "hostIP": address}
        same = [each for each in ports if each["containerPort"] == container_port]
        kept = [each for each in ports if each["containerPort"] != container_port]
        return {**container, "ports": [*kept, {**(same[0] if same else {"protocol": "TCP"}), **published}]}

    return Aimed(kind, name, lambda item: _containers(item, change, only_first=True))


def pod_annotations(kind: str, name: str, annotations: Mapping[str, Any]) -> Transform:
    """Annotates the pods of a workload; a changed value rolls them."""

    def change(item: Object) -> Object:
        template = with_metadata(item["spec"]["template"], "annotations", annotations)
        return {**item, "spec": {**item["spec"], "template": template}}

    return Aimed(kind, name, change)


def pull_secret(name: str) -> Transform:
    """Adds the pull secret `name` to every ServiceAccount, after those that the release has."""

    def transform(item: Object) -> Object:
        if item["kind"] != "ServiceAccount":
            return item
        return {**item, "imagePullSecrets": [*(item.get("imagePullSecrets") or []), {"name": name}]}

    return transform


def _containers(item: Object, change: Transform, *, only_first: bool = False) -> Object:
    spec = item["spec"]
    if "container" in spec:
        return {**item, "spec": {**spec, "container": change(spec["container"])}}
    template = spec.get("template")
    pod = template["spec"] if template else spec
    containers = [
        change(each) if index == 0 or not only_first else each for index, each in enumerate(pod.get("containers") or [])
    ]
    pod = {**pod, "containers": containers}
    return {**item, "spec": {**spec, "template": {**template, "spec": pod}} if template else pod}
