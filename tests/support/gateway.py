"""Requests to the gateway of the node by any name, with or without TLS and a token."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from support.until import until

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str


def ask(url: str, *, certificate: str | None = None, token: str | None = None, body: Any = None) -> Answer:
    """GET, or POST of `body` as JSON; the name in `url` need not resolve. Only `certificate` (PEM) is trusted."""
    place = urlsplit(url)
    host, secure = str(place.hostname), place.scheme == "https"
    port = place.port or (443 if secure else 80)
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.sock = socket.create_connection((LOOPBACK, port), timeout=30)
    if secure:
        connection.sock = _trusting(certificate).wrap_socket(connection.sock, server_hostname=host)
    headers = {"Host": place.netloc, "Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    content = None if body is None else json.dumps(body)
    path = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
    try:
        connection.request("GET" if body is None else "POST", path, body=content, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers.get("Location", ""), response.read().decode(errors="replace"))
    finally:
        connection.close()


def until_answered(url: str, status: int, text: str = "", seconds: float = 20.0) -> None:
    """Wait until the gateway has taken a route over: a route says that it is ready before that."""

    def answered() -> bool:
        answer = ask(url)
        return answer.status == status and text in answer.text

    until(answered, f"{url} does not answer {status} {text}", seconds)


def rows(values: Mapping[str, float]) -> dict[str, Any]:
    """One row of named numbers, as the v2 protocol has it."""
    tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in values.items()]
    return {"parameters": {"content_type": "pd"}, "inputs": tensors}


def _trusting(certificate: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the certificate itself, whoever has signed it
    return context
