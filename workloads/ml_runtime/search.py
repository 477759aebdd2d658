"""The space that a tuning searches, one domain for each parameter, and the trials that a seed draws from it.

The domains are Ray Tune's own. Trial n is always the same: it depends on the seed and the space, not on how many trials
there are, in which order they run, or which of them are left to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ml_runtime.errors import SpecError
from ml_runtime.spec import is_number

Domain = Mapping[str, Any]
"""{"uniform": [0.5, 1]}, {"log_uniform": [0.0001, 0.1]}, {"integer": [1, 8]}, or {"choice": [1, 2, 3]}"""
Trial = dict[str, Any]
Sampler = Callable[[], Any]


def check(name: str, domain: Any) -> Domain:
    """The domain of the parameter `name`, if it is one.

    Raises:
        SpecError: naming the parameter, what is given and what is allowed.
    """
    good = isinstance(domain, dict) and len(domain) == 1 and all(_fits(*each) for each in domain.items())
    if not good:
        raise SpecError(
            f"search.{name} is {domain!r}; it must be one of uniform, log_uniform (from above 0) and integer with two "
            "numbers in order, or choice with a list"
        )
    return dict(domain)


def samplers(space: Mapping[str, Domain], seed: int) -> dict[str, Sampler]:
    """Ray Tune's domains by name of the parameter, all drawn from by the same source of chance."""
    import numpy
    from ray import tune

    make = {
        "uniform": tune.uniform,
        "log_uniform": tune.loguniform,
        "integer": lambda least, most: tune.randint(least, most + 1),
        "choice": lambda *values: tune.choice(values),
    }
    domains = {name: make[kind](*bounds) for name, domain in space.items() for kind, bounds in domain.items()}
    random = numpy.random.default_rng(seed)
    return {name: partial(domain.sample, random_state=random) for name, domain in domains.items()}


def draw(space: Mapping[str, Sampler], trials: int) -> dict[int, Trial]:
    """The parameters of each trial by its number, from 1 on."""
    return {number: {name: _plain(space[name]()) for name in sorted(space)} for number in range(1, trials + 1)}


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


def _plain(value: Any) -> Any:
    """Of Python's own types: what is drawn may be one of NumPy's."""
    return value.item() if hasattr(value, "item") else value
