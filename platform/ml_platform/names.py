"""Names and labels that fit where they are put: whatever is shortened or replaced in one ends in a digest of the whole,
so that two never become the same.
"""

import hashlib
import re

KUBERNETES = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
GOOGLE = re.compile(r"[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?")
"""The values of labels, as either takes them."""


def shortened(text: str, longest: int) -> str:
    """The text, or as much of it as fits with its digest."""
    return text if len(text) <= longest else f"{text[: longest - 9]}-{_digest(text)}"


def label(text: str, allowed: re.Pattern[str] = KUBERNETES) -> str:
    """The text as the value of a label; where that is not allowed, its letters and digits with its digest."""
    if allowed.fullmatch(text):
        return text
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{plain[:54]}-{_digest(text)}".lstrip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
