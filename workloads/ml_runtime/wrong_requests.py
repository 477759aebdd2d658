"""What is said of a request that never reaches a model: no JSON, no request of protocol v2, or a path without anything.

It owns the sentences; the model server, whose library finds these faults, says them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ml_runtime.tensor import TYPES, shown

SHAPE = '{"inputs": [{"name": ..., "shape": [1], "datatype": ..., "data": [...]}]}'
JSON_TYPE = "Content-Type: application/json"
STRANGE = "unexpected character|infinity"
"""What a parser says of NaN, among others."""


def of_body(faults: Sequence[Mapping[str, Any]], body: Any) -> str:
    """The first fault of a body in one sentence, and how many more there are."""
    fault, place = faults[0], list(faults[0]["loc"])[1:]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    if fault["type"] == "json_invalid":
        why = fault.get("ctx", {}).get("error", "it can't be read")
        hint = "; JSON has no NaN and no Infinity: null stands for a missing number" if re.search(STRANGE, why) else ""
        return f"the body is no JSON: {why}, at character {place[0] if place else 0}{hint}"
    if not place:
        return f"the body is no request of protocol v2, which is like {SHAPE} and sent with {JSON_TYPE}"
    where = _where(place, body)
    if fault["type"] == "missing":
        return f"{where} is missing{more}; a request is like {SHAPE}"
    given = f"{where} is {shown(fault.get('input'))}"
    if place[-1] == "datatype":
        return f"{given}, which is no datatype{more}; there are {', '.join(TYPES)}"
    return f"{given}{more}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"


def of_path(path: str) -> str:
    """That there is nothing, and where models are."""
    name = found[1] if (found := re.match(r"/v1/models/([^/:]+)", path)) else "<name>"
    return (
        f"there is nothing at {path}: models are asked by protocol v2, POST /v2/models/{name}/infer with a body like "
        f"{SHAPE}; GET /v2/models/{name} tells what one takes"
    )


def of_method(method: str, path: str) -> str:
    """That something is there, and takes no such request."""
    return f"{path} takes no {method}: models are asked by POST /v2/models/<name>/infer, with a body like {SHAPE}"


def _where(place: Sequence[Any], body: Any) -> str:
    """A place in a body as a path, with the name of the input that it is in."""
    path = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in place).lstrip(".")
    try:
        name = body["inputs"][place[1]]["name"] if place[0] == "inputs" else None
    except (LookupError, TypeError):
        name = None
    return f"{path} (of {shown(name)})" if isinstance(name, str) else path
