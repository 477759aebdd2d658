"""Kubernetes quantities: `1000m` is `1`, `1Gi` is `1024Mi`."""

import re
from decimal import Decimal
from typing import Any

_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9),
    "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30),
    "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkMGTPE]?i?)")


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same amount; False where either is no quantity."""
    left, right = _parse(one), _parse(other)
    return left is not None and left == right


def _parse(value: Any) -> Decimal | None:
    form = _FORM.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if form is None or isinstance(value, bool) or form[2] not in _SUFFIXES:
        return None
    return Decimal(form[1]) * _SUFFIXES[form[2]]
