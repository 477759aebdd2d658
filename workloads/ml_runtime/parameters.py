"""Checks the parameters of an estimator before anything is fitted, so that a mistake costs seconds and not hours.

A name that nobody knows is refused with the nearest one, a value that its library would refuse in its own words.
XGBoost and LightGBM take any name: they are asked which ones they do not use, by a fit of a few made-up rows.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ml_runtime.errors import RunError
from ml_runtime.spec import is_number

SEEDS = ("seed", "random_state")
NEEDS_ROWS = ("early_stopping_rounds", "early_stopping_round")
UNUSED = re.compile(r"Parameters: \{ (.*?) \} are not used|Unknown parameter: (\S+)")
"""As XGBoost and LightGBM say so."""


def check(model: Any, chosen: Mapping[str, Any]) -> None:
    """Refuse what a model with these parameters would refuse, would not use, or could read in two ways.

    Raises:
        RunError: naming the parameter and the way out.
    """
    for name, value in chosen.items():
        _plain(type(model)(), name, value)
    if unused := _unused(model, chosen):
        raise _unknown(unused[0], model, type(model)().get_params())
    _validate(model, chosen)


def check_class_weight(chosen: Any) -> None:
    """Refuse what no class can be weighed by.

    Raises:
        RunError: it is something else.
    """
    by_class = isinstance(chosen, Mapping) and all(is_number(each) and each >= 0 for each in chosen.values())
    if not (chosen in (None, "balanced") or by_class):
        raise RunError(f"parameters.class_weight is {chosen!r}; it must be 'balanced', or a number for each class")


def converted(model: Any, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the model takes them: JSON knows no tuples, and a stack's settings no 1.0.

    Raises:
        RunError: a name that it does not have.
    """
    known = model.get_params(deep=False)
    for name in chosen:
        if name in SEEDS:
            raise RunError(f"parameters.{name} is the run's own `seed`; take it out of the parameters and set that")
        if name in NEEDS_ROWS:
            raise RunError(
                f"parameters.{name} needs rows to stop by, which a run does not set apart: leave it out and let a "
                "tuning find n_estimators, or use gradient-boosting, which sets rows apart by `early_stopping: true`"
            )
        if name not in known and not _takes_any_name(model):
            raise _unknown(name, model, known)
    return {name: _value(model, name, value) for name, value in chosen.items()}


def of_steps(pipeline: Any, chosen: Mapping[str, Any], checked: bool) -> Any:
    """The pipeline with parameters of its steps, by their path: <step>__<parameter>.

    Raises:
        RunError: a path that it does not have, or a value that its step refuses or, unless checked, could read in two
            ways.
    """
    known = pipeline.get_params()
    for path, value in chosen.items():
        where, _, name = path.rpartition("__")
        if path not in known:
            raise _unknown(path, pipeline, known)
        step = known[where]
        if not checked:
            _plain(step, name, value)
        step.set_params(**{name: _value(step, name, value)})
        _validate(step, {name: value})
    return pipeline


def nearest(name: str, known: Collection[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def _unknown(name: str, model: Any, known: Collection[str]) -> RunError:
    names = sorted(each for each in known if each not in (*SEEDS, *NEEDS_ROWS))
    hint = nearest(name, names) or f"; there are {', '.join(each for each in names if '__' not in each)}"
    return RunError(f"{type(model).__name__} has no parameter {name!r}{hint}")


def _value(model: Any, name: str, value: Any) -> Any:
    """As the rules of scikit-learn's own classes want it, where they have some."""
    if isinstance(value, list) and tuple in _rules(model, name):
        return tuple(value)
    readings = _readings(model, name, value)
    return float(value) if readings == {float} else value


def _plain(model: Any, name: str, value: Any) -> None:
    if _readings(model, name, value) == {int, float}:
        out = (
            "null" if None in _rules(model, name) else f"nothing, if the default {model.get_params()[name]!r} will do,"
        )
        raise RunError(
            f"parameters.{name} is {value}: for {type(model).__name__} {value} is a number of things and {value}.0 a "
            f"part of them, and a stack's settings make {value} of either. Write {out} for all of them, or a small "
            "part like 1e-6 for a single one"
        )


def _readings(model: Any, name: str, value: Any) -> set[type]:
    """What a whole number may be meant as: one, a part, or both with different meanings; none if it is all the same."""
    if isinstance(value, bool) or not isinstance(value, int):
        return set()
    ranges = [rule for rule in _rules(model, name) if hasattr(rule, "is_satisfied_by")]
    taken = [{kind for kind in (int, float) if rule.is_satisfied_by(kind(value))} for rule in ranges]
    return set() if {int, float} in taken else set().union(*taken)


def _rules(model: Any, name: str) -> list[Any]:
    return list(getattr(type(model), "_parameter_constraints", {}).get(name, []))


def _validate(model: Any, chosen: Mapping[str, Any]) -> None:
    """Scikit-learn checks the values when it fits; the same check is done now."""
    if not hasattr(model, "_parameter_constraints"):  # as models of XGBoost and LightGBM
        return
    try:
        model._validate_params()
    except ValueError as wrong:
        raise RunError(f"the parameters {dict(chosen)} are refused: {wrong}") from wrong


def _takes_any_name(model: Any) -> bool:
    return type(model).__module__.partition(".")[0] in ("xgboost", "lightgbm")


def _unused(model: Any, chosen: Mapping[str, Any]) -> list[str]:
    """The names that the model's library does not use."""
    if not _takes_any_name(model) or not chosen:
        return []
    probe = type(model)(**{**model.get_params(), "n_estimators": 1, "verbosity": 1})
    with _said() as lines:
        try:
            probe.fit([[0.0], [1.0], [0.0], [1.0]], [0, 1, 0, 1])
        except Exception as refused:  # whatever a library can raise: of real rows it may be right
            lines.append(str(refused))
    found = [part for line in lines for groups in UNUSED.findall(line) for part in groups if part]
    names = [name for part in found for name in re.findall(r"\w+", part)]
    return [name for name in names if name in chosen]


@contextmanager
def _said() -> Iterator[list[str]]:
    """The lines that XGBoost and LightGBM write in the meantime."""
    lines: list[str] = []
    with warnings.catch_warnings(record=True) as caught, _logged(lines):
        warnings.simplefilter("always")
        yield lines
    lines += [str(each.message) for each in caught]


@contextmanager
def _logged(lines: list[str]) -> Iterator[None]:
    import sys

    if "lightgbm" not in sys.modules:
        yield
        return
    import lightgbm

    class Kept:
        def info(self, text: str) -> None:
            lines.append(text)

        warning = error = info

    class Printed:
        def info(self, text: str) -> None:
            print(text, flush=True)

        warning = error = info

    lightgbm.register_logger(Kept())
    try:
        yield
    finally:
        lightgbm.register_logger(Printed())
