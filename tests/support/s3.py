"""An object store in this process, for tests of what asks one: objects by key, and answers that go wrong on purpose."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

BUCKET = "datasets"


class Store(ThreadingHTTPServer):
    """Objects of any bucket by `bucket/key`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.objects: dict[str, bytes] = {}
        self.faults: list[int] = []
        """What becomes of the next reads: a status, or 0 for a body that ends early."""
        self.reads = 0

    def put(self, key: str, content: bytes | str) -> str:
        """Its uri."""
        self.objects[f"{BUCKET}/{key}"] = content.encode() if isinstance(content, str) else content
        return f"s3://{BUCKET}/{key}"


class _Answers(BaseHTTPRequestHandler):
    server: Store
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        key, query = unquote(url.path).lstrip("/"), parse_qs(url.query)
        if "list-type" in query:
            self._list(key, query.get("prefix", [""])[0], query.get("delimiter", [""])[0])
            return
        self.server.reads += 1
        fault = self.server.faults.pop(0) if self.server.faults else None
        if fault:
            self._send(fault, f"<Error><Code>Fault</Code><Message>fault {fault}</Message></Error>".encode())
            return
        content = self._found(key)
        if content is None:
            return
        status = 200
        if asked := self.headers.get("Range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            content, status = content[int(first) : int(last) + 1], 206
        self._send(status, content, cut=fault == 0)

    def do_HEAD(self) -> None:
        content = self._found(unquote(urlsplit(self.path).path).lstrip("/"))
        if content is not None:
            self._send(200, content)

    def do_PUT(self) -> None:
        key = unquote(urlsplit(self.path).path).lstrip("/")
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("If-None-Match") == "*" and key in self.server.objects:
            self._send(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.server.objects[key] = content
        self._send(200, b"")

    def do_DELETE(self) -> None:
        self.server.objects.pop(unquote(urlsplit(self.path).path).lstrip("/"), None)
        self._send(204, b"")

    def _found(self, key: str) -> bytes | None:
        content = self.server.objects.get(key)
        if content is None:
            self._send(404, b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>")
        elif self.headers.get("If-Match", _etag(content)) != _etag(content):
            self._send(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return None
        return content

    def _list(self, bucket: str, prefix: str, delimiter: str) -> None:
        whole = f"{bucket.rstrip('/')}/{prefix}"
        keys = sorted(key for key in self.server.objects if key.startswith(whole))
        inner = [key for key in keys if delimiter and delimiter in key[len(whole) :]]
        cut = sorted({f"{prefix}{key[len(whole) :].partition(delimiter)[0]}{delimiter}" for key in inner})
        keys = [key for key in keys if key not in inner]
        rows = "".join(
            f"<Contents><Key>{key.partition('/')[2]}</Key><Size>{len(self.server.objects[key])}</Size>"
            f"<ETag>{_etag(self.server.objects[key])}</ETag></Contents>"
            for key in keys
        )
        rows += "".join(f"<CommonPrefixes><Prefix>{each}</Prefix></CommonPrefixes>" for each in cut)
        self._send(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode())

    def _send(self, status: int, body: bytes, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", _etag(body))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

    def log_message(self, *_: object) -> None:
        pass


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


@contextmanager
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store, which boto3 of this process asks."""
    server = Store()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-1")
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
