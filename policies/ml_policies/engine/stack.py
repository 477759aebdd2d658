"""All resources of a stack, found by what they are without a look at each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from ml_policies.engine.resource import Resource


class Stack(Sequence[Resource]):
    """In the order in which they were declared."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._all = tuple(resources)

    def __getitem__(self, index: Any) -> Any:
        return self._all[index]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def of(self, *names: str) -> list[Resource]:
        """Those of these Kubernetes kinds, or of these Pulumi types."""
        return [each for name in names for each in self._by_name.get(name, ())]

    @cached_property
    def _by_name(self) -> dict[str, list[Resource]]:
        found: defaultdict[str, list[Resource]] = defaultdict(list)
        for each in self._all:
            found[each.kind or each.type].append(each)
        return found
