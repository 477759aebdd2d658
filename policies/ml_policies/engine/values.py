"""The properties of a resource as plain Python values, in which what is not known yet says so when it is looked at.

The engine sends a placeholder for what only the update will know. Taken for a value, it would pass or fail a rule by
chance; so looking at one raises UnknownError, with its path. What has unknown values is neither dict nor list: those
give their contents away to `{**a, **b}`, `|=` and `json` without being asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pulumi_policy import proxy

PLACEHOLDERS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's mark of a secret


Item = TypeVar("Item")


class UnknownError(Exception):
    """What a rule looked at is not known before the update; the message is its path."""


class Hidden(str):
    """A text that the engine keeps secret: in the state and in what it shows."""


class _Unknown:
    def __init__(self, path: str) -> None:
        self.path = path


class Fields(Mapping[str, Any]):
    """A mapping that has unknown values. Whether it has a key is known, and so are its keys."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found

    def __getitem__(self, key: str) -> Any:
        return _known(self._found[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: object) -> bool:
        return key in self._found


class Items(Sequence[Any]):
    """A list that has unknown values: whoever asks whether it contains something looks at them too."""

    def __init__(self, found: list[Any]) -> None:
        self._found = found

    def __getitem__(self, index: Any) -> Any:
        return _known(self._found[index])

    def __iter__(self) -> Iterator[Any]:
        return map(_known, self._found)

    def __len__(self) -> int:
        return len(self._found)


def _known(value: Any) -> Any:
    if isinstance(value, _Unknown):
        raise UnknownError(value.path)
    return value


def holds(test: Callable[[Item], Any], among: Iterable[Item]) -> bool:
    """Whether a test is passed by any of them. One that is not known counts only where no other decides it."""
    hidden: UnknownError | None = None
    for each in among:
        try:
            if test(each):
                return True
        except UnknownError as error:
            hidden = hidden or error
    if hidden:
        raise hidden
    return False


def holds_each(among: Iterable[Callable[[], bool]]) -> bool:
    """Whether all are true. One that is not known counts only where no other decides it."""
    return not holds(lambda each: not each(), among)


def listed(value: Any) -> bool:
    return isinstance(value, list | Items)


def mapped(value: Any) -> bool:
    return isinstance(value, dict | Fields)


def below(value: Any) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """What is right below a value by its key or index, and the paths of what is unknown there. Nothing raises."""
    held = value._found if isinstance(value, Fields | Items) else value
    if isinstance(held, list):
        held = {str(index): each for index, each in enumerate(held)}
    if not isinstance(held, dict):
        return {}, {}
    if held is value:
        return held, {}
    unknown = {key: each.path for key, each in held.items() if isinstance(each, _Unknown)}
    return ({key: each for key, each in held.items() if key not in unknown} if unknown else held), unknown


def changed(value: Mapping[str, Any], **fields: Any) -> Mapping[str, Any]:
    """The mapping with other fields; what is unknown in it stays so."""
    return Fields({**value._found, **fields}) if isinstance(value, Fields) else {**value, **fields}


def without_nulls(value: Any) -> Any:
    """Fields that are null are fields that are not there: so Kubernetes and the clouds take them."""
    held = value._found if isinstance(value, Fields | Items) else value
    if isinstance(held, dict):
        kept = {key: without_nulls(each) for key, each in held.items() if each is not None}
        return Fields(kept) if isinstance(value, Fields) else kept
    if isinstance(held, list):
        each_kept = [without_nulls(each) for each in held]
        return Items(each_kept) if isinstance(value, Items) else each_kept
    return value


def read(struct: Any) -> Mapping[str, Any]:
    """The fields of a protobuf Struct."""
    return _fields(struct, "")


def _fields(struct: Any, path: str, hidden: bool = False) -> Mapping[str, Any]:
    found = {key: _read(value, f"{path}.{key}" if path else key, hidden) for key, value in struct.fields.items()}
    return Fields(found) if any(isinstance(value, _Unknown) for value in found.values()) else found


def _read(value: Any, path: str, hidden: bool) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        if value.string_value in PLACEHOLDERS:
            return _Unknown(path)
        return Hidden(value.string_value) if hidden else value.string_value
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return _read(fields["value"], path, hidden=True)
        return _fields(value.struct_value, path, hidden)
    if kind == "list_value":
        found = [_read(each, f"{path}[{index}]", hidden) for index, each in enumerate(value.list_value.values)]
        return Items(found) if any(isinstance(each, _Unknown) for each in found) else found
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None
