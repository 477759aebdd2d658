"""The rules of a catalog entry, applied: what must go before anything is declared."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object


def apply_rules(objects: Iterable[Object], rules: Iterable[Rule]) -> list[Object]:
    """The objects after all rules. A rule that matches nothing is an error: the release has changed."""
    result = list(objects)
    for rule in rules:
        matching = [item for item in result if _matches(rule, item)]
        if not matching:
            raise BundleError(f"The rule to {rule.action} {rule.kind} {rule.name or '(any)'} matches no object.")
        if rule.action == "drop":
            result = [item for item in result if not _matches(rule, item)]
        else:
            result = [_without(item, rule) if _matches(rule, item) else item for item in result]
    return result


def _matches(rule: Rule, item: Object) -> bool:
    return item["kind"] == rule.kind and rule.name in (None, item["metadata"]["name"])


def _without(item: Object, rule: Rule) -> Object:
    if not rule.path:
        raise BundleError(f"The rule to remove a field of {rule.kind} {rule.name or '(any)'} names no path.")
    copy = deepcopy(item)
    _remove(copy, rule.path.split("."))
    return copy


def _remove(value: Any, path: list[str]) -> None:
    head, *rest = path
    if head == "*":
        for each in value if isinstance(value, list) else []:
            _remove(each, rest)
    elif isinstance(value, dict) and head in value:
        if rest:
            _remove(value[head], rest)
        else:
            del value[head]
