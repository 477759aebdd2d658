"""When an object is waited for, and until what: annotations first, then the built-in rule of its kind."""

import json
from typing import Any

from kubernetes_provider import jsonpath, kinds, rules
from kubernetes_provider.check import annotation
from kubernetes_provider.rules import READY, Look, Object, Readiness, Rule

SKIP_AWAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"


def rule(inputs: Object, live: Object, *, await_all: bool) -> Rule | None:
    """How to tell that `live` is ready; None where being there is enough."""
    if annotation(inputs, SKIP_AWAIT) == "true":
        return None
    expressions = annotation(live, WAIT_FOR)
    if expressions:
        return _all([_expression(text) for text in _listed(expressions)])
    built_in = rules.BUILT_IN.get((kinds.group_of(live["apiVersion"]), live["kind"]))
    return built_in or (rules.generic if await_all else None)


def _listed(text: str) -> list[str]:
    try:
        values = json.loads(text)
    except ValueError:
        values = [text]
    if not isinstance(values, list) or not values:
        raise ValueError(f"{WAIT_FOR} needs an expression or a JSON array of expressions, not {text!r}")
    return [str(value) for value in values]


def _expression(text: str) -> Rule:
    form, _, rest = text.partition("=")
    if form == "condition" and rest:
        kind, _, status = rest.partition("=")
        return lambda obj, _: rules.has_condition(obj, kind, status or "True")
    if form == "jsonpath" and rest:
        path, brace, value = rest.partition("}")
        wanted = value.removeprefix("=") if value else None
        return _at(jsonpath.parse(path + brace), path + brace, wanted)
    raise ValueError(f'{WAIT_FOR} expects a "jsonpath=" or "condition=" prefix, got {text!r}')


def _at(matches: jsonpath.Step, path: str, wanted: str | None) -> Rule:
    def check(obj: Object, _: Look) -> Readiness:
        found = matches(obj)
        if wanted is None:
            return READY if found else Readiness(False, f"waiting for {path}")
        if found and all(_text(value) == wanted for value in found):
            return READY
        return Readiness(False, f"{path} is {', '.join(map(_text, found)) or 'absent'}, waiting for {wanted}")

    return check


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _all(rules: list[Rule]) -> Rule:
    def check(obj: Object, look: Look) -> Readiness:
        for each in rules:
            if not (answer := each(obj, look)).done:
                return answer
        return READY

    return check
