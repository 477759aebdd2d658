"""Pushes images of an OCI layout into a registry over HTTP: only what it has not, each shared layer once.

Speaks the distribution protocol directly: a second push of everything takes one request an image.
"""

from __future__ import annotations

import json
import ssl
from typing import Any
from urllib.parse import urljoin

import urllib3

from ml_local.errors import LocalError
from ml_local.oci_layout import Layout

RETRIES = urllib3.Retry(connect=5, read=2, redirect=0, status=0, backoff_factor=0.2)


class Registry:
    """One registry at `address` (host:port); `tls` says whom it must be, and who we are."""

    def __init__(self, address: str, tls: ssl.SSLContext) -> None:
        self._url = f"https://{address}"
        self._pool = urllib3.PoolManager(ssl_context=tls, retries=RETRIES, timeout=urllib3.Timeout(connect=3, read=120))
        self._homes: dict[str, str] = {}  # of blobs that are there: the repository that has them

    def push(self, repository: str, tag: str, digest: str, layout: Layout) -> None:
        """Push one image under its digest and a tag.

        Raises:
            LocalError: the registry does not answer, or refuses; the message says what.
        """
        manifest_bytes = layout.blob(digest).read_bytes()
        manifest: dict[str, Any] = json.loads(manifest_bytes)
        blobs = [manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])]
        where = f"/v2/{repository}/manifests/{tag}"
        kind = {"Accept": manifest["mediaType"]}
        there = self._request("HEAD", where, (200, 404), headers=kind)
        if there.headers.get("Docker-Content-Digest") != digest:
            for blob in blobs:
                self._push_blob(repository, blob, layout)
            headers = {"Content-Type": manifest["mediaType"]}
            self._request("PUT", where, (201,), headers=headers, body=manifest_bytes)
        self._homes.update(dict.fromkeys(blobs, repository))

    def _push_blob(self, repository: str, digest: str, layout: Layout) -> None:
        if self._request("HEAD", f"/v2/{repository}/blobs/{digest}", (200, 404)).status == 200:
            return
        home = self._homes.get(digest)
        mount = f"?mount={digest}&from={home}" if home else ""
        begun = self._request("POST", f"/v2/{repository}/blobs/uploads/{mount}", (201, 202))
        if begun.status == 201:
            return
        location = urljoin(self._url, begun.headers["Location"])
        joint = "&" if "?" in location else "?"
        path = layout.blob(digest)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}
        with path.open("rb") as stream:
            self._request("PUT", f"{location}{joint}digest={digest}", (201,), headers=headers, body=stream)

    def _request(self, method: str, path: str, expected: tuple[int, ...], **more: Any) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(method, urljoin(self._url, path), **more)
        except urllib3.exceptions.HTTPError as away:
            raise LocalError(
                f"the registry {self._url} does not answer: {away}. It is part of the node: look at `make status`, "
                "then run `make up` again."
            ) from away
        if answer.status not in expected:
            text = answer.data.decode(errors="replace").strip()[:500]
            full = " Is the disk full?" if answer.status >= 500 else ""
            raise LocalError(f"the registry {self._url} answered {answer.status} to {method} {path}: {text}{full}")
        return answer
