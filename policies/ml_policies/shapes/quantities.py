"""Quantities as Kubernetes and Spark write them, as numbers: cores, and bytes."""

from __future__ import annotations

import re
from typing import Any

NUMBER = re.compile(r"^([+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$")
FACTORS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BINARY = {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
JAVA = {letter: 1024.0**power for power, letter in enumerate("kmgt", 1)}
GIB = 1024.0**3


def number(quantity: Any) -> float:
    """Of Kubernetes: 500m is 0.5, 1Gi is 1073741824.

    Raises:
        ValueError: it is no quantity.
    """
    found = NUMBER.match(str(quantity))
    factor = {**FACTORS, **BINARY}.get(found[2]) if found else None
    if found is None or factor is None:
        raise ValueError(f"{quantity!r} is no quantity such as 500m or 2Gi")
    return float(found[1]) * factor


def java_bytes(quantity: Any) -> float:
    """Of Spark's memory settings, as Java writes them: 512m is 512 MiB.

    Raises:
        ValueError: it is no such size.
    """
    found = NUMBER.match(str(quantity).lower().removesuffix("b").removesuffix("i"))
    factor = JAVA.get(found[2]) if found else None
    if found is None or factor is None:
        raise ValueError(f"{quantity!r} is no size such as 512m or 2g")
    return float(found[1]) * factor
