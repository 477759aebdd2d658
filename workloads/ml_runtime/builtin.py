"""The data sets that come with scikit-learn, as tables: nothing is downloaded, and no object store is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ml_runtime import kept, store
from ml_runtime.formats import Block
from ml_runtime.schema import Column, Kind, Schema

if TYPE_CHECKING:
    from pandas import DataFrame

TARGETS: Mapping[str, str] = {
    "iris": "species",
    "wine": "cultivar",
    "breast-cancer": "diagnosis",
    "digits": "digit",
    "diabetes": "progression",
}


def frame(name: str) -> DataFrame:
    """A data set by its name: features by their own names as words with underscores, the target as the last column."""
    import pandas
    import sklearn.datasets

    bunch: Any = getattr(sklearn.datasets, f"load_{name.replace('-', '_')}")()
    columns = [re.sub(r"\W+", "_", each.removesuffix(" (cm)")) for each in bunch.feature_names]
    target = [str(bunch.target_names[each]) for each in bunch.target] if "target_names" in bunch else bunch.target
    return pandas.DataFrame(bunch.data, columns=columns).assign(**{TARGETS[name]: target})


def block(name: str) -> Block:
    """All rows of a data set."""
    import pyarrow

    rows = frame(name)
    table = pyarrow.table({column: pyarrow.array(list(rows[column])) for column in rows.columns})
    return Block(table=table, place=lambda row: f"sklearn:{name}, row {row + 1}", texts=False)


@cache
def csv(name: str) -> bytes:
    """A data set as one CSV with a header, the same bytes on every machine."""
    rows = frame(name)
    kinds = [Kind.CATEGORY if rows[column].dtype in (object, "str") else Kind.NUMBER for column in rows.columns]
    return kept.to_csv(rows, Schema(tuple(map(Column, rows.columns, kinds))))


def sha256(name: str) -> str:
    return store.digest(csv(name))
