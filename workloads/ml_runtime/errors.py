"""The errors that a run's user can act on; everything else is a crash with its traceback."""

from __future__ import annotations


class RunError(Exception):
    """The step can't be done: the message says what was found, the rule, and the way out."""


class SpecError(RunError):
    """The run's description breaks a rule; the message names the key."""
