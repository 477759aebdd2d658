"""Many requests to one API server at the same time."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

REQUESTS = 8


def each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Calls `function` for every item, REQUESTS at a time; returns the results in the order of the items."""
    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(function, items))
