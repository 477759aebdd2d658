"""The state that the engine keeps of an object: what the server answered, and beside it the inputs.

The keys `__inputs`, `__initialApiVersion` and `__fieldManager` are the official plugin's, so that
either plugin can go on with what the other wrote.
"""

import base64
import binascii
from typing import Any

from kubernetes_provider import quantity
from kubernetes_provider.values import Secret, has_secret, reveal

INPUTS = "__inputs"
API_VERSION = "__initialApiVersion"
MANAGER = "__fieldManager"

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SERVER_OWNED = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
_AMOUNTS = frozenset(
    "limits requests capacity hard min max default defaultRequest overhead podFixed sizeLimit storage divisor".split()  # noqa: SIM905 - reads as the list it is
)
# Schema extensions, which the SDKs spell with underscores.
_EXTENSIONS = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
_UNDERSCORED = {dashed: underscored for underscored, dashed in _EXTENSIONS.items()}


def to_object(tree: dict[str, Any]) -> dict[str, Any]:
    """Property values as the object that the API server reads."""
    obj: dict[str, Any] = reveal(tree)
    return _renamed(obj, _EXTENSIONS) if obj.get("kind") == "CustomResourceDefinition" else obj


def to_properties(obj: dict[str, Any], marked: dict[str, Any]) -> dict[str, Any]:
    """An object as property values; what is secret in the `marked` inputs is secret in them."""
    tree = _outputs(obj)
    annotate(tree, marked)
    return tree


def checkpoint(
    inputs: dict[str, Any], live: dict[str, Any], marked: dict[str, Any], api_version: str, manager: str
) -> dict[str, Any]:
    """The state of `live`, which was made from `inputs`."""
    kept = to_properties(inputs, marked)
    return {**to_properties(live, marked), INPUTS: kept, API_VERSION: api_version, MANAGER: manager}


def parse(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(inputs, live object) of a state, without secret marks."""
    live = reveal(state)
    inputs = live.pop(INPUTS, {})
    if live.get("kind") == "CustomResourceDefinition":
        live, inputs = _renamed(live, _EXTENSIONS), _renamed(inputs, _EXTENSIONS)
    return inputs, {key: value for key, value in live.items() if not key.startswith("__")}


def annotate(outputs: dict[str, Any], inputs: dict[str, Any]) -> None:
    """Carry secret marks from inputs to outputs; the payload of a Secret is always one."""
    if outputs.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if key in outputs and not isinstance(outputs[key], Secret):
                outputs[key] = Secret(outputs[key])
    for key, value in inputs.items():
        if key not in outputs or isinstance(outputs[key], Secret):
            continue
        if isinstance(outputs[key], dict) and isinstance(value, dict):
            annotate(outputs[key], value)
        elif has_secret(value):
            outputs[key] = Secret(outputs[key])


def normalise(obj: dict[str, Any]) -> dict[str, Any]:
    """Inputs in the form in which the server keeps them, so that equal meaning is equal data."""
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        for key in _SERVER_OWNED:
            metadata.pop(key, None)
    kind = obj.get("kind")
    if kind == "Secret" and obj.get("apiVersion") == "v1":
        _merge_string_data(obj)
    if kind == "CustomResourceDefinition":
        obj.pop("status", None)
        if isinstance(obj.get("spec"), dict) and obj["spec"].get("preserveUnknownFields") is False:
            del obj["spec"]["preserveUnknownFields"]
    return obj


def prune(live: Any, inputs: Any, key: str = "", parent: str = "") -> Any:
    """`live` in the shape of `inputs`: fields that nobody declared go, equal amounts keep their spelling."""
    if isinstance(live, dict) and isinstance(inputs, dict):
        return {
            name: prune(live[name], value, name, key) if name in live else value
            for name, value in inputs.items()
            if name in live or not value  # the server leaves empty values out
        }
    if isinstance(live, list) and isinstance(inputs, list):
        return [
            prune(item, inputs[index], key, parent) if index < len(inputs) else item for index, item in enumerate(live)
        ]
    if {key, parent} & _AMOUNTS and quantity.same(live, inputs):
        return inputs
    return live


def as_inputs(live: dict[str, Any]) -> dict[str, Any]:
    """What an imported or read object would have been declared as."""
    inputs = normalise({key: value for key, value in reveal(live).items() if key != "status"})
    annotations = inputs.get("metadata", {}).get("annotations", {})
    for key in (LAST_APPLIED, "deployment.kubernetes.io/revision"):
        annotations.pop(key, None)
    return inputs


def _outputs(obj: dict[str, Any]) -> dict[str, Any]:
    """Without the record of field owners, which nothing reads from the state and which is half of its size."""
    tree: dict[str, Any] = reveal(obj)
    metadata = tree.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        if tree.get("kind") == "Secret" and isinstance(metadata.get("annotations"), dict):
            metadata["annotations"].pop(LAST_APPLIED, None)
    if tree.get("kind") == "CustomResourceDefinition":
        tree = _renamed(tree, _UNDERSCORED)
    return tree


def _renamed(tree: Any, names: dict[str, str]) -> Any:
    if isinstance(tree, dict):
        return {names.get(key, key): _renamed(value, names) for key, value in tree.items()}
    return [_renamed(value, names) for value in tree] if isinstance(tree, list) else tree


def _merge_string_data(obj: dict[str, Any]) -> None:
    plain, data = obj.get("stringData"), obj.get("data") or {}
    if not isinstance(data, dict) or not isinstance(plain or {}, dict):
        return
    for key, value in data.items():
        try:
            data[key] = base64.b64encode(base64.b64decode(value)).decode()
        except (binascii.Error, ValueError, TypeError):
            continue  # the server refuses it and says why
    if plain:
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**data, **encoded}
        del obj["stringData"]
