"""Quantities as Kubernetes and Spark write them, as numbers: cores, and bytes."""

from __future__ import annotations

import re
from typing import Any

NUMBER = re.compile(r"^([+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+))(?:[eE]([+-]?[0-9]+)|([A-Za-z]*))$")
FACTORS = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BINARY = {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
JAVA = re.compile(r"^([0-9]+(?:[.][0-9]+)?)(b|[kmgtp]i?b?)?$")
POWERS = {letter: 1024.0**power for power, letter in enumerate("bkmgtp")}
GIB = 1024.0**3


def number(quantity: Any) -> float:
    """Of Kubernetes: 500m is 0.5, 1Gi is 1073741824. An exponent or a suffix, never both.

    Raises:
        ValueError: it is no quantity.
    """
    if isinstance(quantity, int | float) and not isinstance(quantity, bool):
        return float(quantity)
    found = NUMBER.match(str(quantity))
    factor = {**FACTORS, **BINARY}.get(found[3] or "") if found else None
    if found is None or factor is None:
        raise ValueError(f"{quantity!r} is no quantity such as 500m or 2Gi")
    return float(f"{found[1]}e{found[2] or 0}") * factor


def java_bytes(quantity: Any) -> float:
    """Of Spark's memory settings, as Java writes them: 512m is 512 MiB, and so is 512.

    Raises:
        ValueError: it is no such size.
    """
    found = JAVA.match(str(quantity).lower())
    if found is None:
        raise ValueError(f"{quantity!r} is no size such as 512m or 2g")
    return float(found[1]) * POWERS[(found[2] or "m")[0]]
