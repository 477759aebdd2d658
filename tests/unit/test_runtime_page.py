"""The page of a model: what it has of the signature, and that nothing of a model's own becomes part of the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest
from ml_runtime import page

INPUTS = [
    {"name": "sepal_length", "datatype": "FP64", "shape": [-1, 1], "content_type": "np", "required": True},
    {"name": "note", "datatype": "BYTES", "shape": [-1, 1], "content_type": "str", "required": False},
]


def model(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="model">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_form_is_made_of_the_signature() -> None:
    assert model(page.rendered("iris", INPUTS)) == {"name": "iris", "inputs": INPUTS}


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", "<b>&amp;", "a\u2028b", "'\"", "$title ${model}"]
)
def test_a_name_stays_a_name(name: str) -> None:
    text = page.rendered(name, [{**INPUTS[0], "name": name}])
    assert text.count("<script") == 2
    assert "<script>alert" not in text
    assert model(text) == {"name": name, "inputs": [{**INPUTS[0], "name": name}]}


def test_a_model_without_a_signature_has_a_page_too() -> None:
    assert model(page.rendered("iris", [])) == {"name": "iris", "inputs": []}


def test_only_the_page_s_own_script_runs() -> None:
    rules = page.security()["Content-Security-Policy"]
    *_, script = re.findall(r"<script>(.*?)</script>", page.rendered("iris", INPUTS), re.DOTALL)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in rules
    assert "default-src 'none'" in rules


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page.rendered("iris", INPUTS))
