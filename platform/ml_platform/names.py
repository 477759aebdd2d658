"""Names and labels made to fit the limits of Kubernetes and of Google Cloud.

A name that had to be changed ends in a digest of the original, so that two different names stay different.
"""

import hashlib
import re

KUBERNETES = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
GOOGLE = re.compile(r"[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?")
"""The patterns of label values that Kubernetes and Google Cloud allow."""


AUTOSCALER = "cluster-autoscaler"
"""The name of the cluster autoscaler: of its namespace, its objects and its service account."""


def shortened(text: str, longest: int) -> str:
    """The text; where it has more than `longest` characters, its beginning and its digest, `longest` together."""
    return text if len(text) <= longest else f"{text[: longest - 9]}-{_digest(text)}"


def label(text: str, allowed: re.Pattern[str] = KUBERNETES) -> str:
    """The text as the value of a label; where `allowed` forbids it, its letters and digits with its digest."""
    if allowed.fullmatch(text):
        return text
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"{plain[:54]}-{_digest(text)}".lstrip("-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
