"""What a transform is, how transforms compose, and what they are built of.

It knows no kind of object.
"""

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
    """`change` for the objects of one kind and name, nothing for all others."""

    kind: str
    name: str
    change: Transform

    def __call__(self, item: Object) -> Object:
        return self.change(item) if self.hits(item) else item

    def hits(self, item: Object) -> bool:
        return bool(item["kind"] == self.kind and item["metadata"]["name"] == self.name)


def aimless(transforms: Iterable[Transform], objects: Sequence[Object]) -> list[str]:
    """What transforms are aimed at and no object is: a setting would have no effect, and nobody would know."""
    aimed = (each for each in transforms if isinstance(each, Aimed))
    return [f"{each.kind} {each.name}" for each in aimed if not any(map(each.hits, objects))]


def merged(kind: str, name: str, patch: Mapping[str, Any]) -> Transform:
    """Any field of one object: maps are merged, all else replaces, None removes (RFC 7386)."""
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
