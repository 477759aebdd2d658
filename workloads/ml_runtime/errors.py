"""The errors whose message says all; everything else is a crash with its traceback."""

from __future__ import annotations


class RunError(Exception):
    """The step can't be done until its user acts: the message says what was found, the rule, and the way out."""


class SpecError(RunError):
    """The run's description breaks a rule; the message names the key."""


class AwayError(Exception):
    """A service was away for longer than the step waits. Nobody has to change anything: the next try may succeed."""
