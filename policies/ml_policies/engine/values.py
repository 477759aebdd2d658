"""The properties of a resource as plain Python values, in which what is not known yet says so when it is looked at.

The engine sends a placeholder for what only the update will know. Taken for a value, it would pass or fail a rule by
chance; so looking at one raises Unknown, with its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pulumi_policy import proxy

PLACEHOLDERS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark of a secret


class UnknownError(Exception):
    """What a rule looked at is not known before the update; the message is its path."""


class _Unknown:
    def __init__(self, path: str) -> None:
        self.path = path


class Fields(dict[str, Any]):
    """A mapping that has unknown values. `dict`'s own methods would give them away."""

    def __getitem__(self, key: str) -> Any:
        return _known(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        return _known(super().get(key, default))

    def values(self) -> Any:
        return map(_known, super().values())

    def items(self) -> Any:
        return ((key, _known(value)) for key, value in super().items())


class Items(list[Any]):
    """A list that has unknown values."""

    def __getitem__(self, index: Any) -> Any:
        return _known(super().__getitem__(index))

    def __iter__(self) -> Iterator[Any]:
        return map(_known, super().__iter__())


def _known(value: Any) -> Any:
    if isinstance(value, _Unknown):
        raise UnknownError(value.path)
    return value


def parts(value: Any) -> tuple[list[Any], list[str]]:
    """All mappings and lists right below a value, and the paths of what is unknown there."""
    if isinstance(value, dict):
        below = list(dict.values(value))
    elif isinstance(value, list):
        below = list(list.__iter__(value))
    else:
        return [], []
    known = [each for each in below if isinstance(each, dict | list)]
    return known, [each.path for each in below if isinstance(each, _Unknown)]


def read(struct: Any) -> dict[str, Any]:
    """The fields of a protobuf Struct."""
    return _fields(struct, "")


def _fields(struct: Any, path: str) -> dict[str, Any]:
    found = {key: _read(value, f"{path}.{key}" if path else key) for key, value in struct.fields.items()}
    return Fields(found) if any(isinstance(value, _Unknown) for value in found.values()) else found


def _read(value: Any, path: str) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return _Unknown(path) if value.string_value in PLACEHOLDERS else value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return _read(fields["value"], path)
        return _fields(value.struct_value, path)
    if kind == "list_value":
        found = [_read(each, f"{path}[{index}]") for index, each in enumerate(value.list_value.values)]
        return Items(found) if any(isinstance(each, _Unknown) for each in found) else found
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None
