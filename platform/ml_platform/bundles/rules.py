"""Applies the rules of a catalog entry: they drop or change objects before any is declared.

A rule that changes nothing is an error: it was written for another release.
"""

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object

Step = str | None
"""A step of a path: a name, or None for each item."""

_STEP = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")


def apply_rules(objects: Iterable[Object], rules: Iterable[Rule]) -> list[Object]:
    """The objects after all rules, in their given order; hooks.py applies the rules of action `keep`.

    Raises:
        BundleError: a rule matches no object, or finds no such field.
    """
    result = list(objects)
    for rule in rules:
        if not any(matches(rule, item) for item in result):
            raise rule_error(rule, "matches no object")
        if rule.action == "drop":
            result = [item for item in result if not matches(rule, item)]
        else:
            result = _changed(result, rule)
    return result


def matches(rule: Rule, item: Object) -> bool:
    """Whether `rule` is about `item`; its generateName is compared if it has no name."""
    metadata = item["metadata"]
    name = metadata.get("name") or metadata.get("generateName") or ""
    return (
        fnmatchcase(item["kind"], rule.kind)
        and fnmatchcase(name, rule.name)
        and fnmatchcase(metadata.get("namespace") or "", rule.namespace)
    )


def rule_error(rule: Rule, complaint: str) -> BundleError:
    """The error of a rule that does not fit its release."""
    path = f" at {rule.path}" if rule.path else ""
    return BundleError(
        f"the rule to {rule.action} {rule.kind} {rule.name}{path} ({rule.why}) {complaint}. "
        f"`render` shows what the release has; mend the rule in the catalog."
    )


def steps(path: str) -> list[Step]:
    """The steps of a rule's path: `a.*.[b.c/d]`.

    Raises:
        BundleError: `path` is no such path.
    """
    found = list(_STEP.finditer(path))
    if ".".join(each[0] for each in found) != path:
        raise BundleError(
            f"{path!r} is no path: names joined by dots, `*` for each item, a name that holds dots in brackets."
        )
    return [None if each[0] == "*" else each[1] or each[2] for each in found]


def _changed(objects: Sequence[Object], rule: Rule) -> list[Object]:
    path, done = steps(rule.path or ""), 0
    result = []
    for item in objects:
        if matches(rule, item):
            item = deepcopy(item)
            done += _remove(item, path) if rule.action == "remove" else _set(item, path, rule.value)
        result.append(item)
    if not done:
        raise rule_error(rule, "finds no such field")
    return result


def _remove(value: Any, path: Sequence[Step]) -> int:
    """Removes the field at `path`; returns how many were removed."""
    head, *rest = path
    if rest:
        return sum(_remove(child, rest) for child in _children(value, head))
    if head is None or not isinstance(value, dict) or head not in value:
        return 0
    del value[head]
    return 1


def _set(value: Any, path: Sequence[Step], wanted: Any) -> int:
    """Sets the field at `path` and makes missing maps on the way; returns how many were set."""
    head, *rest = path
    if rest:
        if isinstance(value, dict) and head is not None and value.get(head) is None:
            value[head] = {}
        return sum(_set(child, rest, wanted) for child in _children(value, head))
    if head is None or not isinstance(value, dict):
        return 0
    value[head] = deepcopy(wanted)
    return 1


def _children(value: Any, step: Step) -> list[Any]:
    if step is not None:
        return [value[step]] if isinstance(value, dict) and step in value else []
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
