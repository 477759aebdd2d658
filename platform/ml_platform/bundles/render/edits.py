"""Edits of a text before it becomes the rendering: whole documents and exact words; all else keeps its format."""

import re
from collections.abc import Sequence

from ml_platform.bundles.catalog import Edit
from ml_platform.bundles.errors import BundleError

_SEPARATOR = re.compile(r"^---\n", re.MULTILINE)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text after all edits, in their order.

    Raises:
        BundleError: an edit changes nothing.
    """
    for edit in edits:
        before = text
        if edit.drop:
            text = _without(text, edit.drop)
        if edit.replace:
            text = text.replace(*edit.replace)
        if text == before:
            raise BundleError(f"The edit {edit.drop or edit.replace} ({edit.why}) changes nothing.")
    return text


def _without(text: str, kind: str) -> str:
    line = re.compile(rf"^kind: {re.escape(kind)}$", re.MULTILINE)
    return "---\n".join(document for document in _SEPARATOR.split(text) if not line.search(document))
