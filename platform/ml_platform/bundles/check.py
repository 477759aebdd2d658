"""Checks of a bundle's objects after mending and rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.kinds import DEFINITION, group
from ml_platform.bundles.parse import Object, title


def deduplicated(objects: Iterable[Object]) -> list[Object]:
    """Each object once: equal copies in a release are merged.

    Raises:
        BundleError: copies of an object differ, or an object has only a generateName.
    """
    found: dict[tuple[Any, ...], Object] = {}
    for item in objects:
        metadata = item["metadata"]
        key = (group(item), item["kind"], metadata.get("namespace"), metadata.get("name"))
        if metadata.get("name") is None:
            raise BundleError(
                f"{title(item)} has no name, only a generateName, so it can't be declared: "
                "drop it by a rule of the entry"
            )
        if found.setdefault(key, item) != item:
            raise BundleError(
                f"{title(item)} is there twice and differs at {_difference(found[key], item)}: "
                "drop one by a rule of the entry"
            )
    return list(found.values())


def check_conversion_services(objects: Sequence[Object], namespace: str) -> None:
    """Checks that the service of each conversion webhook is in a namespace of the bundle, where something answers.

    Raises:
        BundleError: the service of a CRD is in another namespace.
    """
    namespaces = {namespace, *(item["metadata"]["name"] for item in objects if item["kind"] == "Namespace")}
    for item in objects:
        service = _conversion_service(item) if item["kind"] == DEFINITION else {}
        if service and service["namespace"] not in namespaces:
            raise BundleError(
                f"{title(item)} converts through service {service['namespace']}/{service['name']}, but the bundle "
                f"lives in {namespace}: set spec.conversion.webhook.clientConfig.service.namespace by a rule"
            )


def _conversion_service(definition: Object) -> Mapping[str, Any]:
    webhook = (definition["spec"].get("conversion") or {}).get("webhook") or {}
    return webhook.get("clientConfig", {}).get("service") or {}


def _difference(one: Any, other: Any, path: str = "") -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        key = next(key for key in {**one, **other} if one.get(key) != other.get(key))
        return _difference(one.get(key), other.get(key), f"{path}.{key}".lstrip("."))
    return path
