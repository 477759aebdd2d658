"""A table in the object store, as what learns from it sees it, whoever has put it there."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Table:
    """An object without a header line, or, with a slash at its end, the folder of an ETL run."""

    bucket: str
    path: str
    """Its key, known from the start."""
    key: pulumi.Output[str]
    """The same; resolves when it is there."""
    columns: tuple[str, ...]
    version: str
    """Changes whenever the data may be others."""
    sha256: pulumi.Output[str] | None = None
    """Of the data, where whoever has put them there says so."""
