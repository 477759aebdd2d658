"""Which web pages' programs may ask a server in a browser, which asks the server first (CORS)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette

VARIABLE = "ML_ORIGINS"
"""Their origins, with spaces between; without it, a browser lets only pages of the server's own host ask."""


def allow(app: Starlette) -> None:
    """Answers browsers as the environment says; called before the server's first request."""
    from starlette.middleware.cors import CORSMiddleware

    if origins := os.environ.get(VARIABLE, "").split():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["*"],
            expose_headers=["X-Request-Id"],
        )
