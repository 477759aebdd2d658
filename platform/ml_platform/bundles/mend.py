"""Corrections that every bundle gets: they remove fields that can't, or need not, be declared.

Each function corrects one common defect of real manifests. The rules of an entry correct the defects of one release.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ml_platform.bundles.kinds import CLUSTER_SCOPED, DEFINITION, built_in, group
from ml_platform.bundles.parse import Object

INJECTION = "cert-manager.io/inject-ca-from"

_REFERENCE = re.compile(r"^[a-z0-9.-]+/[a-z0-9.-]+$")


def mended(objects: Iterable[Object]) -> list[Object]:
    """The objects without fields that can't, or need not, be declared; each is corrected by itself."""
    steps: Sequence[Callable[[Object], Object]] = (
        _without_status, _without_nulls, _without_empty_secrets, _without_placeholders
    )  # fmt: skip
    result = []
    for item in objects:
        for step in steps:
            item = step(item)
        result.append(item)
    return result


def with_namespaces(objects: Iterable[Object], namespace: str, scopes: Mapping[tuple[str, str], str]) -> list[Object]:
    """The objects, namespaced ones in `namespace` where they name none, cluster-scoped ones without a namespace.

    `scopes` are those of the custom kinds that the bundle defines. An object of another custom kind stays as it is.
    """
    return [_in_namespace(item, namespace, scopes) for item in objects]


def scopes(objects: Iterable[Object]) -> dict[tuple[str, str], str]:
    """(group, kind) -> Namespaced or Cluster, for all kinds that the CRDs in `objects` define."""
    return {
        (item["spec"]["group"], item["spec"]["names"]["kind"]): item["spec"]["scope"]
        for item in objects
        if item["kind"] == DEFINITION
    }


def without_scaled_replicas(objects: Sequence[Object]) -> list[Object]:
    """The objects, without `replicas` where an autoscaler of the bundle sets them: each `up` would reset these."""
    scaled = {
        (
            item["spec"]["scaleTargetRef"]["kind"],
            item["metadata"].get("namespace"),
            item["spec"]["scaleTargetRef"]["name"],
        )
        for item in objects
        if item["kind"] == "HorizontalPodAutoscaler"
    }
    return [
        {**item, "spec": {key: value for key, value in item["spec"].items() if key != "replicas"}}
        if (item["kind"], item["metadata"].get("namespace"), item["metadata"].get("name")) in scaled
        else item
        for item in objects
    ]


def _in_namespace(item: Object, namespace: str, scopes: Mapping[tuple[str, str], str]) -> Object:
    if built_in(item):
        scope: str | None = "Cluster" if item["kind"] in CLUSTER_SCOPED else "Namespaced"
    else:
        scope = scopes.get((group(item), item["kind"]))
    metadata = item["metadata"]
    if scope == "Cluster":
        metadata = {key: value for key, value in metadata.items() if key != "namespace"}
    elif scope == "Namespaced":
        metadata = {**metadata, "namespace": metadata.get("namespace") or namespace}
    return {**item, "metadata": metadata}


def _without_status(item: Object) -> Object:
    return {key: value for key, value in item.items() if key != "status"}


def _without_nulls(item: Object) -> Object:
    """A null is an unset field in a built-in kind, and removed. In a CRD or a custom resource it may have a meaning."""
    if built_in(item) and item["kind"] != DEFINITION:
        return {key: _without_nulls_below(value) for key, value in item.items() if value is not None}
    return {**item, "metadata": _without_nulls_below(item["metadata"])}


def _without_nulls_below(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls_below(child) for key, child in value.items() if child is not None}
    return [_without_nulls_below(child) for child in value] if isinstance(value, list) else value


def _without_empty_secrets(item: Object) -> Object:
    """Empty values of a Secret are filled at run time: if they were declared, each `up` would empty them again."""
    if item["kind"] != "Secret":
        return item
    empty = [key for key in ("data", "stringData") if key in item and not any((item[key] or {}).values())]
    return {key: value for key, value in item.items() if key not in empty}


def _without_placeholders(item: Object) -> Object:
    """Removes a `caBundle` without a certificate and an injection annotation without a reference: both are set later,
    at run time."""
    annotations = item["metadata"].get("annotations") or {}
    if INJECTION in annotations and not _REFERENCE.match(str(annotations[INJECTION])):
        kept = {key: value for key, value in annotations.items() if key != INJECTION}
        item = {**item, "metadata": {**item["metadata"], "annotations": kept}}
    if item["kind"].endswith("WebhookConfiguration"):
        return {**item, "webhooks": [_without_placeholder(each, "clientConfig") for each in item.get("webhooks") or []]}
    if item["kind"] == DEFINITION and "webhook" in (item["spec"].get("conversion") or {}):
        conversion = item["spec"]["conversion"]
        conversion = {**conversion, "webhook": _without_placeholder(conversion["webhook"], "clientConfig")}
        return {**item, "spec": {**item["spec"], "conversion": conversion}}
    return _without_placeholder(item, "spec") if item["kind"] == "APIService" else item


def _without_placeholder(holder: Object, field: str) -> Object:
    client = holder.get(field) or {}
    if "caBundle" not in client or _is_certificate(client["caBundle"]):
        return holder
    return {**holder, field: {key: value for key, value in client.items() if key != "caBundle"}}


def _is_certificate(bundle: Any) -> bool:
    try:
        return b"-----BEGIN CERTIFICATE-----" in base64.b64decode(bundle or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
