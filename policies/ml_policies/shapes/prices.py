"""The price table, and what things cost by it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from ml_policies.shapes.nodes import Pool
from ml_policies.shapes.sizes import Size

FILE = Path(__file__).resolve().parents[2] / "prices.toml"
IONOS = re.compile(r"^ionos-([0-9.]+)x([0-9.]+)$")


@cache
def table() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def machine(name: str) -> float | None:
    """Of one node an hour, without its disk; None where the table does not know it."""
    made_of = IONOS.match(name)
    if made_of:
        prices = table()["ionos"]
        return float(float(made_of[1]) * prices["core"] + float(made_of[2]) * prices["memory_gib"])
    found = table()["machines"].get(name)
    return None if found is None else float(found)


def node(pool: Pool) -> float:
    """Of the dearest that one of its nodes may be, an hour, without its disk."""
    return max((machine(each) or 0.0 for each in pool.machines), default=0.0)


def share(size: Size) -> float:
    """Of that part of a node, a month."""
    prices = table()["shares"]
    hourly = size.cores * prices["core"] + size.memory * prices["memory_gib"] + size.gpus * prices["gpu"]
    return month(float(hourly))


def month(hourly: float) -> float:
    return hourly * float(table()["hours_of_a_month"])


def monthly(name: str) -> float:
    return float(table()["monthly"][name])


@cache
def each(kind: str) -> float | None:
    """Of one resource of a cloud, a month, by its type; None where the table knows nothing of it."""
    prices = table()
    if kind in prices["each"]:
        return float(prices["each"][kind])
    if kind in prices["clusters"]:
        return month(float(prices["clusters"][kind]))
    paid = any(fnmatchcase(kind, pattern) for pattern in prices["clouds"])
    return None if paid and not by_use(kind) and not _any(kind, prices["free"]) else 0.0


@cache
def by_use(kind: str) -> bool:
    """Whether nobody knows before the use of it what it costs."""
    return _any(kind, table()["by_use"])


def _any(kind: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


def written(amount: float) -> str:
    return f"{amount:,.0f} {table()['currency']}"
