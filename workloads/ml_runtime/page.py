"""The page of a model: a form made from its signature, its answer, and the same request for curl and Python.

It owns the text that a browser gets. It asks the model by protocol v2, as everybody does, and takes nothing from
elsewhere: no font, no script, no style.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

HERE = Path(__file__).parent
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""Of JSON inside HTML: what could end its element."""


def rendered(name: str, inputs: Sequence[Mapping[str, Any]], asks: bool = False) -> str:
    """The page of the model `name`; each input has name, datatype, shape, content_type and required. Where it `asks`,
    people say what they think of an answer."""
    model = json.dumps({"name": name, "inputs": [*inputs], **({"asks": True} if asks else {})})
    for sign, escaped in _ESCAPED.items():
        model = model.replace(sign, escaped)
    return _template().substitute(title=html.escape(name), model=model, script=_script())


def security() -> dict[str, str]:
    """The headers that keep other scripts, other hosts and frames of others out."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    rules = [
        "default-src 'none'", f"script-src 'sha256-{digest}'", "style-src 'unsafe-inline'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ]  # fmt: skip
    return {"Content-Security-Policy": "; ".join(rules), "X-Content-Type-Options": "nosniff"}


@cache
def _template() -> Template:
    return Template((HERE / "page.html").read_text())


@cache
def _script() -> str:
    return (HERE / "page.js").read_text()
