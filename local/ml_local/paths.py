"""Where the embedded default keeps things. Owns no file: it only names them.

Three folders, all outside the checkout: the cache holds what can be built again, the state holds one node's data, and
the machine's own what all of them share. There may be a fourth: a mirror of the releases that the catalog pins.
"""

from __future__ import annotations

import os
from pathlib import Path

STATE = Path("/var/lib/ml-platform")


def checkout() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[2]


def cache() -> Path:
    """What was downloaded and built, by version; `make down` keeps it."""
    return Path(os.environ.get("ML_PLATFORM_CACHE", "/var/cache/ml-platform"))


def state() -> Path:
    """The node, its data and the stack's state; `make down` removes it."""
    return Path(os.environ.get("ML_PLATFORM_STATE", STATE))


def machine() -> Path:
    """Who is at work, and whose node this machine has: for root alone, the same for every cache and state, void after a
    reboot."""
    return Path("/run/ml-platform")


def mirror() -> Path | None:
    """Upstream releases as <part>/<version>.yaml: where ML_PLATFORM_MIRROR says, else beside the checkout."""
    named = os.environ.get("ML_PLATFORM_MIRROR")
    folder = Path(named) if named else checkout().parent / "shared" / "upstream"
    return folder if folder.is_dir() else None
