"""What people say of an answer on a model's page: what is taken, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ml_runtime import opinion, page
from ml_runtime.opinion import Opinion
from ml_runtime.tensor import RefusedError


def test_a_thumb_and_a_comment_are_taken() -> None:
    said = {"id": "7", "good": False, "comment": "a setosa has no such petals"}
    assert opinion.parse(json.dumps(said).encode()) == Opinion(**said)
    assert opinion.parse(b'{"id": "7", "good": true}').comment == ""


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("no JSON", "the body is no JSON"),
        ([], r"the body is \[\]"),
        ({"id": "7", "good": True, "stars": 5}, "write it like"),
        ({"id": "7"}, "good is null; it is true or false"),
        ({"id": "7", "good": 1}, "good is 1"),
        ({"good": True}, "id is null; it is a text of at most 200 characters"),
        ({"id": "", "good": True}, 'id is ""'),
        ({"id": "7", "good": True, "comment": "x" * 2001}, "comment is .* at most 2000 characters"),
        ({"id": "7", "good": True, "comment": 5}, "comment is 5"),
    ],
)
def test_what_is_none_is_refused_with_what_it_should_be(said: Any, rule: str) -> None:
    body = said if isinstance(said, str) else json.dumps(said)
    with pytest.raises(RefusedError, match=rule):
        opinion.parse(body.encode())


def test_the_page_asks_where_somebody_keeps_what_is_said() -> None:
    assert '"asks": true' in page.rendered("iris", [], asks=True)
    assert "asks" not in page.rendered("iris", []).partition("<script>")[0]
