"""The price table, and what things cost by it."""

from __future__ import annotations

import re
import tomllib
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


def node(pool: Pool) -> float | None:
    """Of one node an hour, without its disk; None where the table does not know the machine."""
    made_of = IONOS.match(pool.machine)
    if made_of:
        prices = table()["ionos"]
        return float(float(made_of[1]) * prices["core"] + float(made_of[2]) * prices["memory_gib"])
    found = table()["machines"].get(pool.machine)
    return None if found is None else float(found)


def share(size: Size) -> float:
    """Of that part of a node, an hour."""
    prices = table()["shares"]
    return float(size.cores * prices["core"] + size.memory * prices["memory_gib"] + size.gpus * prices["gpu"])


def month(hourly: float) -> float:
    return hourly * float(table()["hours_of_a_month"])


def monthly(name: str) -> float:
    return float(table()["monthly"][name])


def written(amount: float) -> str:
    return f"{amount:,.0f} {table()['currency']}"
