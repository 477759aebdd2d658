"""Transforms of metadata: labels, annotations, and the pod security standard of namespaces."""

from collections.abc import Callable, Mapping
from typing import Any

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Aimed, Transform

ENFORCE = "pod-security.kubernetes.io/enforce"


def labels(extra: Mapping[str, str]) -> Transform:
    """Adds labels to every object; pod templates keep theirs, since selectors depend on them."""
    return lambda item: with_metadata(item, "labels", extra)


def pod_security(level: str) -> Transform:
    """Sets the pod security standard that every namespace of the bundle enforces."""
    return lambda item: with_metadata(item, "labels", {ENFORCE: level}) if item["kind"] == "Namespace" else item


def annotated(kind: str, name: str, change: Callable[[Mapping[str, str]], Any]) -> Transform:
    """Replaces the annotations of one object by what `change` returns for them: plain ones, or an Output of them."""

    def with_annotations(item: Object) -> Object:
        annotations = change(item["metadata"].get("annotations") or {})
        return {**item, "metadata": {**item["metadata"], "annotations": annotations}} if annotations else item

    return Aimed(kind, name, with_annotations)


def with_metadata(item: Object, field: str, extra: Mapping[str, Any]) -> Object:
    metadata = item.get("metadata") or {}
    return {**item, "metadata": {**metadata, field: {**(metadata.get(field) or {}), **extra}}}
