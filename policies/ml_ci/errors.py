"""The one error that the commands show without a traceback."""

from __future__ import annotations


class CiError(Exception):
    """Something the user can mend: the message says what was found, the rule, and the way out."""
