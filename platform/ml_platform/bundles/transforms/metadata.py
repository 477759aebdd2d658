"""Labels, and the pod security standard of namespaces."""

from collections.abc import Mapping
from typing import Any

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Transform

ENFORCE = "pod-security.kubernetes.io/enforce"


def labels(extra: Mapping[str, str]) -> Transform:
    """Adds labels to every object; pod templates keep theirs, since selectors depend on them."""
    return lambda item: with_metadata(item, "labels", extra)


def pod_security(level: str) -> Transform:
    """The pod security standard that every namespace of the bundle enforces."""
    return lambda item: with_metadata(item, "labels", {ENFORCE: level}) if item["kind"] == "Namespace" else item


def with_metadata(item: Object, field: str, extra: Mapping[str, Any]) -> Object:
    metadata = item.get("metadata") or {}
    return {**item, "metadata": {**metadata, field: {**(metadata.get(field) or {}), **extra}}}
