"""A connection to a served model: names that need not resolve, certificates, the caller's token.

It owns how requests travel; what is asked, and what an answer means, belongs to who asks.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from urllib.parse import urlsplit

from ml_local.errors import LocalError
from ml_local.node.layout import LOOPBACK

TIMEOUT = 30.0
TOKEN = "ML_PLATFORM_TOKEN"  # noqa: S105 - the variable's name


class Connection:
    """One connection to the place of `url`, for one request after the other.

    It is opened with the first request, and anew after one that went wrong. The gateway is on loopback, or at
    `connect_to`. `authority` (PEM) is trusted beside those that the machine knows; the environment's ML_PLATFORM_TOKEN
    goes along with each request, if there is one.
    """

    def __init__(self, url: str, authority: str | None = None, connect_to: str | None = None) -> None:
        self._url, self._place, self._authority = url, urlsplit(url), authority
        self._asked = self._place._replace(scheme="", netloc="").geturl() or "/"
        secure, token = self._place.scheme == "https", os.environ.get(TOKEN)
        self._address = connect_to or LOOPBACK, self._place.port or (443 if secure else 80)
        self._headers = {"Host": self._place.netloc, "Content-Type": "application/json"}
        self._headers |= {"Authorization": f"Bearer {token}"} if token else {}
        self._opened: http.client.HTTPConnection | None = None

    def send(self, method: str, body: bytes | None = None) -> tuple[int, bytes]:
        """The status and the content of the answer.

        Raises:
            LocalError: nothing answers there, or nobody whom this machine trusts.
        """
        try:
            self._opened = opened = self._opened or self._open()
            opened.request(method, self._asked, body=body, headers=self._headers)
            response = opened.getresponse()
            return response.status, response.read()
        except ssl.SSLCertVerificationError as stranger:
            self.close()
            raise LocalError(
                f"{self._url} has a certificate of somebody whom nothing here knows: {stranger}"
            ) from stranger
        except (OSError, http.client.HTTPException) as gone:
            self.close()
            raise LocalError(
                f"nothing answers at {self._url} ({gone}); see `make status`, and `make up` to start it"
            ) from gone

    def close(self) -> None:
        """The next request opens it again."""
        if self._opened:
            self._opened.close()
        self._opened = None

    def _open(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT)
        connection.sock = socket.create_connection(self._address, TIMEOUT)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._place.scheme == "https":
            trust = ssl.create_default_context()
            if self._authority:
                trust.load_verify_locations(cadata=self._authority)
            connection.sock = trust.wrap_socket(connection.sock, server_hostname=self._place.hostname)
        return connection
