"""The part of JSONPath that `kubectl wait` expressions use.

Fields, quoted fields, indexes, wildcards and filters (`[?(@.type=="Ready")]`); no slices, unions or functions.
"""

import json
import re
from collections.abc import Callable
from typing import Any

Step = Callable[[Any], list[Any]]

_FIELD = re.compile(r"\.([A-Za-z_$][\w$-]*|\*)")
_INDEX = re.compile(r"\[(-?\d+|\*)\]")
_QUOTED = re.compile(r"""\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]""")
_FILTER = re.compile(r"\[\?\(?\s*@((?:\.[\w$-]+|\['[^']*'\])+)\s*(?:(==|!=)\s*(.+?))?\s*\)?\]")


class JSONPathError(ValueError):
    """An expression outside of what is understood here; the message quotes it."""


def parse(expression: str) -> Step:
    """`{.status.phase}`, `.status.phase` or `$.status.phase` as a function from an object to its matches."""
    text = expression.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    text = text.removeprefix("$")
    if text and text[0] not in ".[":
        text = f".{text}"
    steps: list[Step] = []
    position = 0
    while position < len(text):
        step, position = _step(text, position, expression)
        steps.append(step)

    def matches(value: Any) -> list[Any]:
        found = [value]
        for step in steps:
            found = [hit for item in found for hit in step(item)]
        return found

    return matches


def _step(text: str, position: int, expression: str) -> tuple[Step, int]:
    if part := _FIELD.match(text, position):
        return (_every if part[1] == "*" else _field(part[1])), part.end()
    if part := _INDEX.match(text, position):
        return (_every if part[1] == "*" else _item(int(part[1]))), part.end()
    if part := _QUOTED.match(text, position):
        return _field(re.sub(r"\\(.)", r"\1", part[1] if part[1] is not None else part[2])), part.end()
    if part := _FILTER.match(text, position):
        return _filter(parse(part[1]), part[2], _literal(part[3], expression)), part.end()
    raise JSONPathError(f"not understood in the JSONPath {expression!r}: {text[position:]!r}")


def _field(name: str) -> Step:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _item(index: int) -> Step:
    return lambda value: [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []


def _every(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _filter(path: Step, operator: str | None, literal: Any) -> Step:
    def test(item: Any) -> bool:
        found = path(item)
        if operator is None:
            return bool(found)
        return any(value == literal for value in found) is (operator == "==")

    return lambda value: [item for item in _every(value) if test(item)]


def _literal(text: str | None, expression: str) -> Any:
    if text is None:
        return None
    if text[0] == text[-1] == "'":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        raise JSONPathError(f"not a literal in the JSONPath {expression!r}: {text!r}") from None
