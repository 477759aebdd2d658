"""What is made of a table's raw columns before a model sees them: numbers, categories and texts, each by their kind.

Missing values and categories that nobody has seen are no error. Times and files are left out: code of one's own makes
something of them. All is made of scikit-learn's own classes, so that a server loads it without any code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime.errors import RunError
from ml_runtime.schema import Kind

if TYPE_CHECKING:
    from ml_runtime.schema import Schema

MOST_CATEGORIES = 100
"""Columns that one of categories becomes at most; what is rarer goes into one of them."""
MOST_WORDS, MOST_WORDS_DENSE = 50000, 300
"""Columns that one of texts becomes at most."""


@dataclass(frozen=True, kw_only=True)
class Wants:
    """What an estimator wants its columns to be."""

    scaler: str | None = None
    """The class of scikit-learn that puts numbers on one scale."""
    one_hot: bool = False
    """A column for each category; else they are numbered."""
    missing: bool = False
    """It knows missing numbers."""
    dense: bool = False
    """It takes no sparse table."""


def transformer(schema: Schema, wants: Wants) -> Any:
    """From the columns of the schema to those that the estimator wants; not fitted.

    Raises:
        RunError: none of them is of use.
    """
    from sklearn.compose import ColumnTransformer

    steps = list(_steps(schema, wants))
    if not steps:
        kinds = ", ".join(f"{column.name} ({column.kind})" for column in schema.columns)
        raise RunError(
            f"a named estimator learns from numbers, categories and texts, and there are only {kinds or 'no columns'}; "
            "name the kind of a column in the data's `columns`, or make features in a script"
        )
    return ColumnTransformer(steps, sparse_threshold=0 if wants.dense else 0.3)


def _steps(schema: Schema, wants: Wants) -> Iterator[tuple[str, Any, Any]]:
    by_kind = {kind: [column.name for column in schema.columns if column.kind is kind] for kind in Kind}
    texts = by_kind[Kind.TEXT]
    if names := by_kind[Kind.NUMBER]:
        # Words make a sparse table, and no tree of scikit-learn takes one with missing values.
        yield "numbers", _numbers(wants, impute=bool(texts) or not wants.missing), names
    if names := by_kind[Kind.CATEGORY]:
        yield "categories", _categories(wants), names
    for name in texts:
        yield f"text_{name.replace('__', '_')}", _words(wants), [name]


def _numbers(wants: Wants, impute: bool) -> Any:
    from sklearn import preprocessing
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    filled = [("missing", SimpleImputer(strategy="median", keep_empty_features=True))] if impute else []
    scaled = [("scale", getattr(preprocessing, wants.scaler)())] if wants.scaler else []
    return Pipeline([*filled, *scaled]) if filled or scaled else "passthrough"


def _categories(wants: Wants) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if wants.one_hot:
        codes = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES)
    else:
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return Pipeline([*_filled(), ("codes", codes)])


def _words(wants: Wants) -> Any:
    import numpy
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    words = TfidfVectorizer(max_features=MOST_WORDS_DENSE if wants.dense else MOST_WORDS)
    return Pipeline([*_filled(), ("flat", FunctionTransformer(numpy.ravel)), ("words", words)])


def _filled() -> list[tuple[str, Any]]:
    """A missing text is an empty one, in either way that a table says so: a server's is not the one of a file."""
    import numpy
    from sklearn.impute import SimpleImputer

    def empty(missing: Any) -> Any:
        return SimpleImputer(missing_values=missing, strategy="constant", fill_value="", keep_empty_features=True)

    return [("nan", empty(numpy.nan)), ("none", empty(None))]  # in this order: the second takes no NaN
