"""Requests to one API server over pooled HTTP: credentials, time limits, and safe retries."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import urllib3

from ml_platform.kube import errors
from ml_platform.kube.kubeconfig import Connection

RETRY_PAUSE = 1.0  # seconds until a server that is away is asked again


class Transport:
    """A pool of connections, safe to share between threads. For `patience` seconds from its start, requests wait for a
    server that is away."""

    def __init__(self, connection: Connection, *, connections: int, timeout: float, patience: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._until = time.monotonic() + patience
        self._pool = _pool(connection, connections)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | None] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """Sends a request; raises `KubeError` for every answer that is no success. A POST and a request with its own
        `timeout` are sent once: the server may have handled a POST that it did not answer."""
        once = method == "POST" or timeout is not None
        while True:
            try:
                return self._sent(method, path, params, body, headers, timeout or self._timeout, stream=stream)
            except errors.KubeError as error:
                if once or not error.passes or time.monotonic() > self._until:
                    raise
            time.sleep(RETRY_PAUSE)

    def _sent(
        self,
        method: str,
        path: str,
        params: dict[str, str | None] | None,
        body: Any,
        headers: dict[str, str] | None,
        limit: float,
        *,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        query = urlencode({key: value for key, value in (params or {}).items() if value is not None})
        url = f"{self._connection.server}{path}" + (f"?{query}" if query else "")
        for attempt in range(2):
            try:
                response = self._pool.request(
                    method,
                    url,
                    body=None if body is None else json.dumps(body).encode(),
                    headers={
                        "Content-Type": "application/json",
                        **self._connection.user.headers(),
                        **(headers or {}),
                    },
                    timeout=urllib3.Timeout(connect=min(limit, 10.0), read=limit),
                    preload_content=not stream,
                )
            except urllib3.exceptions.HTTPError as error:
                cause = getattr(error, "reason", None) or error
                raise errors.Unreachable(f"{method} {self._connection.server}{path}: {cause}") from error
            if response.status == 401 and attempt == 0 and self._connection.user.forget():
                continue
            break
        if response.status >= 400:
            raise errors.from_response(response.status, response.data, f"{method} {path}")
        return response


def _pool(connection: Connection, connections: int) -> urllib3.PoolManager:
    # A refused connection never reached the server, and 429 asks to come again: both are safe for every verb.
    retries = urllib3.Retry(
        total=5, connect=3, read=0, redirect=0, other=0, backoff_factor=0.2,
        status_forcelist=[429], allowed_methods=None, respect_retry_after_header=True, raise_on_status=False,
    )  # fmt: skip
    options: dict[str, Any] = {"num_pools": 4, "maxsize": connections, "retries": retries}
    if connection.server.startswith("https://"):
        options["ssl_context"] = connection.ssl_context()
        if connection.cluster.get("tls-server-name"):
            options["server_hostname"] = options["assert_hostname"] = connection.cluster["tls-server-name"]
        if connection.cluster.get("insecure-skip-tls-verify"):
            options["cert_reqs"] = "CERT_NONE"
    if connection.cluster.get("proxy-url"):
        return urllib3.ProxyManager(connection.cluster["proxy-url"], **options)
    return urllib3.PoolManager(**options)
