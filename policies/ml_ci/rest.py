"""Calls of a REST API: JSON in, JSON out, pages one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

from ml_ci.errors import CiError

PAGE = 100


@dataclass(frozen=True)
class Api:
    """`headers` hold the token."""

    url: str
    headers: Mapping[str, str]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """
        Raises:
            CiError: the API can't be reached, or refuses; with its own words.
        """
        given = None if body is None else json.dumps(body)
        url = f"{self.url}{path}{'?' if query else ''}{urlencode(query)}"
        headers = {**self.headers, "Content-Type": "application/json"}
        try:
            answer = urllib3.request(method, url, body=given, headers=headers, timeout=30.0)
        except urllib3.exceptions.HTTPError as error:
            raise CiError(f"{method} {self.url}{path} had no answer: {error}") from error
        if answer.status >= 300:
            said = answer.data.decode(errors="replace")[:300]
            raise CiError(f"{method} {path} was refused with {answer.status}: {said}; may the job's token do that?")
        return json.loads(answer.data) if answer.data else None

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        page = 1
        while found := self.call("GET", path, per_page=PAGE, page=page, **query):
            yield from found
            if len(found) < PAGE:
                return
            page += 1
