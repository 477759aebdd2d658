"""What people say of an answer of a model, as its page sends it.

    {"id": "<that of the answer>", "good": false, "comment": "a setosa has no such petals"}

It owns that body and its checks; where an opinion goes is the business of ml_runtime.recorder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ml_runtime.tensor import RefusedError, shown

PATH = "/opinions"
LONGEST = {"id": 200, "comment": 2000}
"""Characters of each text."""
LIKE = '{"id": "<that of the answer>", "good": true, "comment": "..."}'


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """Of one answer."""

    id: str
    good: bool
    comment: str


def parse(body: bytes) -> Opinion:
    """The opinion in the body of a request.

    Raises:
        RefusedError: it is none.
    """
    try:
        given = json.loads(body)
    except ValueError as broken:
        raise RefusedError(f"the body is no JSON: {broken}; write it like {LIKE}") from None
    if not isinstance(given, dict) or not set(given) <= {"id", "good", "comment"}:
        raise RefusedError(f"the body is {shown(given)}; write it like {LIKE}")
    if not isinstance(given.get("good"), bool):
        raise RefusedError(f"good is {shown(given.get('good'))}; it is true or false")
    return Opinion(id=_text(given, "id"), good=given["good"], comment=_text({"comment": "", **given}, "comment"))


def _text(given: dict[str, Any], key: str) -> str:
    text = given.get(key)
    if not isinstance(text, str) or len(text) > LONGEST[key] or (key == "id" and not text):
        raise RefusedError(f"{key} is {shown(text)}; it is a text of at most {LONGEST[key]} characters")
    return text
