"""The rules of a catalog entry, applied: what must go or change before anything is declared.

A rule that finds nothing to do is an error: the release is not the one it was written for.
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
"""Of a path: a name, or None for each item."""

_STEP = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")


def apply_rules(objects: Iterable[Object], rules: Iterable[Rule]) -> list[Object]:
    """The objects after all rules, in their order. Rules to keep hooks belong to hooks.py."""
    result = list(objects)
    for rule in rules:
        if not any(matches(rule, item) for item in result):
            raise unfit(rule, "matches no object")
        if rule.action == "drop":
            result = [item for item in result if not matches(rule, item)]
        else:
            result = _changed(result, rule)
    return result


def matches(rule: Rule, item: Object) -> bool:
    """Whether `rule` is about `item`; an object that has a generateName goes by that."""
    metadata = item["metadata"]
    name = metadata.get("name") or metadata.get("generateName") or ""
    return (
        fnmatchcase(item["kind"], rule.kind)
        and fnmatchcase(name, rule.name)
        and fnmatchcase(metadata.get("namespace") or "", rule.namespace)
    )


def unfit(rule: Rule, complaint: str) -> BundleError:
    """The error of a rule that does not fit its release."""
    path = f" at {rule.path}" if rule.path else ""
    return BundleError(
        f"the rule to {rule.action} {rule.kind} {rule.name}{path} ({rule.why}) {complaint}. "
        f"`render` shows what the release has; mend the rule in the catalog."
    )


def steps(path: str) -> list[Step]:
    """The steps of a path as rules have it: `a.*.[b.c/d]`."""
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
        raise unfit(rule, "finds no such field")
    return result


def _remove(value: Any, path: Sequence[Step]) -> int:
    """How many fields went."""
    head, *rest = path
    if rest:
        return sum(_remove(child, rest) for child in _children(value, head))
    if head is None or not isinstance(value, dict) or head not in value:
        return 0
    del value[head]
    return 1


def _set(value: Any, path: Sequence[Step], wanted: Any) -> int:
    """How many fields were set; a map that is not there yet is made on the way."""
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
