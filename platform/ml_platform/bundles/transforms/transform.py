"""The type of transforms, their composition, and the helpers that they are built of, for objects of any kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pulumi

from ml_platform.bundles.parse import Object

Transform = Callable[[Object], Object]


def compose(transforms: Sequence[Transform]) -> Transform:
    """One transform that applies all, the first one first."""
    return lambda item: reduce(lambda value, transform: transform(value), transforms, item)


@dataclass(frozen=True)
class Aimed:
    """Applies `change` to objects of one kind and name; all others stay as they are."""

    kind: str
    name: str
    change: Transform

    def __call__(self, item: Object) -> Object:
        return self.change(item) if self.hits(item) else item

    def hits(self, item: Object) -> bool:
        return bool(item["kind"] == self.kind and item["metadata"]["name"] == self.name)


def missing_targets(transforms: Iterable[Transform], objects: Sequence[Object]) -> list[str]:
    """The targets of transforms, as "<kind> <name>", that no object matches: a setting for one would have no effect."""
    aimed = (each for each in transforms if isinstance(each, Aimed))
    return [f"{each.kind} {each.name}" for each in aimed if not any(map(each.hits, objects))]


def merged(kind: str, name: str, patch: Mapping[str, Any]) -> Transform:
    """Sets any fields of one object: maps are merged, other values replace, None removes (RFC 7386)."""
    return Aimed(kind, name, lambda item: merge(item, patch))


def merge(value: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(value)
    for key, new in patch.items():
        if new is None:
            result.pop(key, None)
        elif isinstance(new, Mapping):
            old = result.get(key)
            result[key] = merge(old if isinstance(old, Mapping) else {}, new)
        else:
            result[key] = new
    return result


def derived(function: Callable[[Any], str], value: Any) -> Any:
    """`function(value)`: at once where all of `value` is plain, so that previews show it, else an Output."""
    return pulumi.Output.from_input(value).apply(function) if _holds_output(value) else function(value)


def _holds_output(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_output, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_output, value))
    return isinstance(value, pulumi.Output)
