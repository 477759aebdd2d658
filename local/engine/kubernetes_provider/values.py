"""The engine's property values as plain Python, and back.

Secrets are `Secret(value)`, unknowns stay the string that the engine sends, whole numbers become ints.
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value

SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker of the wire format
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        UNKNOWN,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in the state and hides in its output."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(...)"


def decode(struct: Struct) -> dict[str, Any]:
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(tree: dict[str, Any]) -> Struct:
    struct = Struct()
    for key, value in tree.items():
        _encode(value, struct.fields[key])
    return struct


def reveal(tree: Any) -> Any:
    """The same tree without secret marks; always a copy of its maps and lists."""
    if isinstance(tree, Secret):
        return reveal(tree.value)
    if isinstance(tree, dict):
        return {key: reveal(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [reveal(value) for value in tree]
    return tree


def is_unknown(value: Any) -> bool:
    return isinstance(value, str) and value in _UNKNOWNS


def has_unknown(tree: Any) -> bool:
    return _any(tree, is_unknown)


def has_secret(tree: Any) -> bool:
    return _any(tree, lambda value: isinstance(value, Secret))


def _any(tree: Any, test: Any) -> bool:
    if test(tree):
        return True
    if isinstance(tree, Secret):
        return _any(tree.value, test)
    if isinstance(tree, dict):
        return any(_any(value, test) for value in tree.values())
    if isinstance(tree, list):
        return any(_any(value, test) for value in tree)
    return False


def _decode(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "struct_value":
        return _decode_struct(value.struct_value)
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    return None


def _decode_struct(struct: Struct) -> Any:
    tree = decode(struct)
    signature = tree.get(SIGNATURE)
    if signature is None:
        return tree
    if signature == _SECRET:
        return Secret(tree["value"])
    if signature == _OUTPUT:
        known = tree.get("value", UNKNOWN)
        return Secret(known) if tree.get("secret") else known
    raise ValueError("an asset, archive or resource was given where a Kubernetes object has plain values")


def _encode(tree: Any, value: Value) -> None:
    if isinstance(tree, str):
        value.string_value = tree
    elif isinstance(tree, bool):
        value.bool_value = tree
    elif isinstance(tree, int | float):
        value.number_value = tree
    elif isinstance(tree, dict):
        value.struct_value.CopyFrom(Struct())
        for key, item in tree.items():
            _encode(item, value.struct_value.fields[key])
    elif isinstance(tree, list):
        value.list_value.CopyFrom(ListValue())
        for item in tree:
            _encode(item, value.list_value.values.add())
    elif isinstance(tree, Secret):
        value.struct_value.fields[SIGNATURE].string_value = _SECRET
        _encode(tree.value, value.struct_value.fields["value"])
    else:
        value.null_value = 0  # type: ignore[assignment]
