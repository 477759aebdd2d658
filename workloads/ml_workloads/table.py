"""Data as a run that learns from them sees them, whoever has put them there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

TABLE = "table"
"""The name of the output of a run of Spark, and of a pipeline."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Data, and what is learned from them."""

    what: Mapping[str, Any]
    """All that decides what is learned, but for the bytes; plain."""
    described: Mapping[str, Any]
    """The block `data` of a run's description; values may be Outputs."""
    version: pulumi.Output[str]
    """Another version is other data. It resolves when the data are there, and is unknown in the preview of a change."""
    sha256: pulumi.Output[str] | None = None
    """The digest of the bytes, where a look has found it."""
