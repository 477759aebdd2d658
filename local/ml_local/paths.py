"""Where the embedded default keeps things. Owns no file: it only names them.

Two folders, both outside the checkout: the cache holds what can be built again, the state holds one node's data.
"""

from __future__ import annotations

import os
from pathlib import Path


def checkout() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[2]


def cache() -> Path:
    """What was downloaded and built, by version; `make down` keeps it."""
    return Path(os.environ.get("ML_PLATFORM_CACHE", "/var/cache/ml-platform"))


def state() -> Path:
    """The node, its data and the stack's state; `make down` removes it."""
    return Path(os.environ.get("ML_PLATFORM_STATE", "/var/lib/ml-platform"))
