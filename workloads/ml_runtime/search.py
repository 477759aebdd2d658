"""The space that a tuning searches: one domain for each parameter, which is one of Ray Tune's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_runtime.errors import SpecError
from ml_runtime.spec import is_number

Domain = Mapping[str, Any]
"""{"uniform": [0.5, 1]}, {"log_uniform": [0.0001, 0.1]}, {"integer": [1, 8]}, or {"choice": [1, 2, 3]}"""


def check(name: str, domain: Any) -> Domain:
    """The domain of the parameter `name`, if it is one.

    Raises:
        SpecError: naming the parameter, what is given and what is allowed.
    """
    good = isinstance(domain, dict) and len(domain) == 1 and all(_fits(*each) for each in domain.items())
    if not good:
        raise SpecError(
            f"space.{name} is {domain!r}; it must be one of uniform, log_uniform (from above 0) and integer with two "
            "numbers in order, or choice with a list"
        )
    return dict(domain)


def examples(space: Mapping[str, Domain]) -> list[dict[str, Any]]:
    """Parameters of the space, in which each choice stands once: those that a check of values needs to see."""
    first = {name: _values(domain)[0] for name, domain in space.items()}
    others = ({**first, name: value} for name, domain in space.items() for value in _values(domain)[1:])
    return [first, *others]


def domains(space: Mapping[str, Domain]) -> dict[str, Any]:
    """The space as Ray Tune has it."""
    from ray import tune

    make = {
        "uniform": tune.uniform,
        "log_uniform": tune.loguniform,
        "integer": lambda least, most: tune.randint(least, most + 1),
        "choice": lambda *values: tune.choice(values),
    }
    return {name: make[kind](*bounds) for name, domain in space.items() for kind, bounds in domain.items()}


def _values(domain: Domain) -> list[Any]:
    """All of a choice, one that says which of its numbers is meant of a range."""
    ((kind, bounds),) = domain.items()
    if kind == "choice":
        return list(bounds)
    return [bounds[1]] if kind == "integer" else [(bounds[0] + bounds[1]) / 2]


def _fits(kind: str, bounds: Any) -> bool:
    if not isinstance(bounds, list):
        return False
    if kind == "choice":
        return bool(bounds)
    if kind not in ("uniform", "log_uniform", "integer") or len(bounds) != 2 or not all(map(is_number, bounds)):
        return False
    least, most = bounds
    whole = kind != "integer" or all(isinstance(each, int) for each in bounds)
    return bool(least < most and whole and (kind != "log_uniform" or least > 0))
