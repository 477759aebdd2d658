"""Goes on trying while a service is away, for a bounded time.

Only what a wait can mend is tried again: no connection, a time-out, an answer of 500 and more. A wrong key, a missing
bucket, a full disk or a bug fails at once. So an action given to `patiently` must be one that may be done twice, and
asks the service alone: what code of a user's own does is outside of it.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.error import URLError

from ml_runtime.errors import AwayError

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
NETWORK = {errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETRESET}
"""The numbers of the errors of a network that have no class of their own in Python."""
CLIENTS = {
    "botocore": {"HTTPClientError", "ConnectionError"},
    "requests": {"ConnectionError", "Timeout", "ChunkedEncodingError"},
    "urllib3": {"ProtocolError", "TimeoutError", "MaxRetryError"},
}
"""What each library of clients raises when nobody answers, with all that is derived from it."""


def patiently(service: str, seconds: float, action: Callable[[], T], longest_pause: float = LONGEST_PAUSE) -> T:
    """The action's result, tried again while `service` is away, after pauses of up to `longest_pause` seconds.

    Raises:
        AwayError: it was still away after `seconds`; names it, the last failure and what to look at.
    """
    end, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            return action()
        except Exception as failure:
            if not is_away(failure):
                raise
            left = end - time.monotonic()
            if left <= 0:
                raise AwayError(
                    f"{service} was away for {seconds:.0f} s, longer than this step waits: {_brief(failure)}. "
                    f"See that {service} is ready, then run this again."
                ) from failure
            print(f"{service} is away, trying for another {left:.0f} s: {_brief(failure)}", file=sys.stderr, flush=True)
            time.sleep(min(pause, left))
            pause = min(pause * 2, longest_pause)


def limit_client_retries() -> None:
    """Keep MLflow's own client from waiting for minutes inside one try. Before the first request."""
    for name, value in (("MAX_RETRIES", "1"), ("BACKOFF_FACTOR", "1"), ("TIMEOUT", "30")):
        os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_{name}", value)


def is_away(failure: BaseException) -> bool:
    """Whether a wait may mend it. By shape, not by class: no client library is imported for it."""
    status = _status(failure)
    if status is not None:
        return status >= 500 or status == 429
    if isinstance(failure, ssl.SSLCertVerificationError):
        return False
    family, _, _ = type(failure).__module__.partition(".")
    if family in CLIENTS:
        return any(base.__name__ in CLIENTS[family] for base in type(failure).__mro__)
    if family == "mlflow":
        return str(failure).startswith("API request to")
    return _is_of_network(failure)


def _is_of_network(failure: BaseException) -> bool:
    """Of all errors of the operating system, those of a connection: a full disk is none."""
    if isinstance(failure, URLError) and isinstance(failure.reason, BaseException):
        return is_away(failure.reason)
    kinds = (ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError, URLError, http.client.HTTPException)
    return isinstance(failure, kinds) or (isinstance(failure, OSError) and failure.errno in NETWORK)


def _status(failure: BaseException) -> int | None:
    """The HTTP status of an answer, if there was one."""
    response: Any = getattr(failure, "response", None)
    if isinstance(response, dict):  # botocore's
        code = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    elif type(failure).__name__ == "RestException":  # MLflow's
        code = failure.get_http_status_code()  # type: ignore[attr-defined]
    else:
        code = getattr(response, "status_code", None) or getattr(failure, "code", None)
    return code if isinstance(code, int) else None


def _brief(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}".splitlines()[0][:300]
