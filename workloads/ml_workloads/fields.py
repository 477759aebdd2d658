"""Types of fields that several blocks of the workloads' settings have."""

from typing import Annotated

from ml_platform.configuration import Name
from pydantic import AfterValidator, Field

Column = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
Share = Annotated[float, Field(ge=0, le=1)]
Script = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.][-A-Za-z0-9_./]*\.py$")]

Pool = Name | None
"""One of the cluster's node pools; None is wherever there is room, on nodes without taints."""


def _distinct(columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(columns)) < len(columns):
        raise ValueError("names of columns must be distinct")
    return columns


Features = Annotated[tuple[Column, ...], Field(min_length=1), AfterValidator(_distinct)]
Columns = Annotated[tuple[Column, ...], Field(min_length=2), AfterValidator(_distinct)]
