"""The one error that the commands show without a traceback."""

from __future__ import annotations

import os


class LocalError(Exception):
    """Something the user can mend: the message says what was found, the rule, and the way out."""


def require_root() -> None:
    """Refuse to go on as anybody else.

    Raises:
        LocalError: the caller is not root.
    """
    if os.geteuid() != 0:
        raise LocalError(
            "this needs root: it starts a kubelet and a container runtime. Run it as root (`sudo make up`), or use a "
            "cluster that exists: README.md, 'Your own cluster'."
        )
