"""What depends on settings, as pure functions from object to object.

A bundle is rendered once and for all; these run after it. A transform leaves alone what it does not concern, never
edits its argument, and may put an Output where a value goes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object

Transform = Callable[[Object], Object]

_TEMPLATES = frozenset({"DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"})


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Requests and limits of a container; what is None stays as the release has it."""

    cpu_request: str | None = None
    memory_request: str | None = None
    cpu_limit: str | None = None
    memory_limit: str | None = None


def compose(transforms: Sequence[Transform]) -> Transform:
    """One transform that applies all, the first one first."""
    return lambda item: reduce(lambda value, transform: transform(value), transforms, item)


def image_map(wanted: Sequence[str], images: Mapping[str, str]) -> Transform:
    """Puts the reference of each image in `wanted` where its name stands: in any field whose name ends in `image`, in
    JSON inside of strings as well, and, where the name is a full reference, as a whole string anywhere."""
    missing = sorted(set(wanted) - set(images))
    if missing:
        raise BundleError(
            f"No reference for image(s) {', '.join(missing)}. Build and push them, then set each with:\n"
            f"  pulumi config set --path 'ml-platform:platform.images.{missing[0]}' "
            f"<registry>/{missing[0]}@sha256:<digest>"
        )
    table = {name: images[name] for name in wanted}
    return lambda item: _mapped(item, table, "")


def _mapped(value: Any, table: Mapping[str, str], key: str) -> Any:
    if isinstance(value, dict):
        return {name: _mapped(child, table, name) for name, child in value.items()}
    if isinstance(value, list):
        return [_mapped(child, table, key) for child in value]
    if not isinstance(value, str):
        return value
    if value in table and (key.lower().endswith("image") or "/" in value):
        return table[value]
    if value.startswith("{") and value.endswith("}") and any(name in value for name in table):
        return _mapped_json(value, table)
    return value


def _mapped_json(text: str, table: Mapping[str, str]) -> str:
    try:
        before = json.loads(text)
    except ValueError:
        return text
    after = _mapped(before, table, "")
    return text if after == before else json.dumps(after)


def labels(extra: Mapping[str, str]) -> Transform:
    """Adds labels to every object; pod templates keep theirs, since selectors depend on them."""
    return lambda item: _with_metadata(item, "labels", extra)


def pod_security(level: str) -> Transform:
    """The pod security standard that every namespace of the bundle enforces."""
    marks = {"pod-security.kubernetes.io/enforce": level}
    return lambda item: _with_metadata(item, "labels", marks) if item["kind"] == "Namespace" else item


def config_data(name: str, data: Mapping[str, str]) -> Transform:
    """Sets keys of ConfigMap `name`."""

    def transform(item: Object) -> Object:
        if not _is(item, "ConfigMap", name):
            return item
        return {**item, "data": {**(item.get("data") or {}), **data}}

    return transform


def config_json(name: str, key: str, fields: Mapping[str, Any]) -> Transform:
    """Sets fields of the JSON object that ConfigMap `name` holds as text under `key`."""

    def transform(item: Object) -> Object:
        if not _is(item, "ConfigMap", name):
            return item
        data = item.get("data") or {}
        merged = {**json.loads(data.get(key, "{}")), **fields}
        return {**item, "data": {**data, key: json.dumps(merged)}}

    return transform


def resource_sizes(sizes: Mapping[str, Resources]) -> Transform:
    """Sets requests and limits of the containers of each workload named in `sizes`."""

    def transform(item: Object) -> Object:
        size = sizes.get(item["metadata"]["name"])
        if size is None or item["kind"] not in _TEMPLATES:
            return item
        return _each_container(item, lambda container: _sized(container, size))

    return transform


def environment(kind: str, name: str, variables: Mapping[str, Any]) -> Transform:
    """Sets environment variables on the containers of one object: a workload, or whatever has a `spec.container`."""

    def change(container: Object) -> Object:
        kept = [entry for entry in container.get("env", []) if entry["name"] not in variables]
        return {**container, "env": kept + [{"name": key, "value": value} for key, value in variables.items()]}

    return lambda item: _each_container(item, change) if _is(item, kind, name) else item


def pod_annotations(kind: str, name: str, annotations: Mapping[str, Any]) -> Transform:
    """Annotates the pods of a workload; a changed value rolls them."""

    def transform(item: Object) -> Object:
        if not _is(item, kind, name):
            return item
        template = {"metadata": {}, **item["spec"]["template"]}
        return {
            **item,
            "spec": {**item["spec"], "template": _with_metadata(template, "annotations", annotations)},
        }

    return transform


def ca_bundle(value: Any) -> Transform:
    """The trust (base64 of PEM) of every webhook in the bundle."""

    def trusting(webhook: Object) -> Object:
        return {**webhook, "clientConfig": {**webhook["clientConfig"], "caBundle": value}}

    def transform(item: Object) -> Object:
        if not item["kind"].endswith("WebhookConfiguration"):
            return item
        return {**item, "webhooks": [trusting(webhook) for webhook in item.get("webhooks", [])]}

    return transform


def _is(item: Object, kind: str, name: str) -> bool:
    return bool(item["kind"] == kind and item["metadata"]["name"] == name)


def _with_metadata(item: Object, field: str, extra: Mapping[str, Any]) -> Object:
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, field: {**(metadata.get(field) or {}), **extra}}}


def _each_container(item: Object, change: Transform) -> Object:
    spec = item["spec"]
    if "container" in spec:
        return {**item, "spec": {**spec, "container": change(spec["container"])}}
    template = spec.get("template")
    pod = template["spec"] if template else spec
    pod = {**pod, "containers": [change(container) for container in pod.get("containers", [])]}
    return {**item, "spec": {**spec, "template": {**template, "spec": pod}} if template else pod}


def _sized(container: Object, size: Resources) -> Object:
    before = container.get("resources") or {}
    wanted = {
        "requests": {"cpu": size.cpu_request, "memory": size.memory_request},
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit},
    }
    after = {
        part: {**(before.get(part) or {}), **{key: value for key, value in values.items() if value is not None}}
        for part, values in wanted.items()
    }
    return {**container, "resources": {**before, **after}}
