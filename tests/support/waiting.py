"""Waiting that takes no time, but is counted."""

from __future__ import annotations

import time

import pytest


def clock(patch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed, which only sleeping adds to; its one item changes."""
    now = [0.0]
    patch.setattr(time, "monotonic", lambda: now[0])
    patch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now
