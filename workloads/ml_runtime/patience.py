"""Goes on trying while a service is away, for a bounded time.

Only what a wait can mend is tried again: no connection, a time-out, an answer of 500 and more. A wrong key, a missing
bucket or a bug fails at once. So an action given to `patiently` must be one that may be done twice.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ml_runtime.errors import RunError

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
LOCAL_ERRORS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def patiently(service: str, seconds: float, action: Callable[[], T], longest_pause: float = LONGEST_PAUSE) -> T:
    """The action's result, tried again while `service` is away, after pauses of up to `longest_pause` seconds.

    Raises:
        RunError: it was still away after `seconds`; names it, the last failure and what to look at.
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
                raise RunError(
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
    family = type(failure).__module__.partition(".")[0]
    if family == "botocore":
        return any(base.__name__ in {"HTTPClientError", "ConnectionError"} for base in type(failure).__mro__)
    if family == "mlflow":
        return str(failure).startswith("API request to")
    return isinstance(failure, OSError) and not isinstance(failure, LOCAL_ERRORS)


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
