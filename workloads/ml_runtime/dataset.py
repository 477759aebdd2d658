"""Puts a well-known data set into the object store, as a headerless CSV with class names in the last column.

The data come out of a Python package's own copy, so nothing is downloaded. The object carries its sha256 as
metadata; a second run finds it and writes nothing.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ml_runtime import store
from ml_runtime.command import finish
from ml_runtime.errors import RunError
from ml_runtime.patience import patiently
from ml_runtime.spec import DataObject


def sklearn_source(loader: str) -> Callable[[], bytes]:
    """A data set of scikit-learn, by the name of the function that loads it."""

    def load() -> bytes:
        import sklearn.datasets

        bunch: Any = getattr(sklearn.datasets, loader)()
        names = [str(bunch.target_names[index]) for index in bunch.target]
        return to_csv([[*map(repr, map(float, row)), name] for row, name in zip(bunch.data, names, strict=True)])

    return load


SOURCES: Mapping[str, Callable[[], bytes]] = {
    "sklearn:iris": sklearn_source("load_iris"),
    "sklearn:wine": sklearn_source("load_wine"),
    "sklearn:breast-cancer": sklearn_source("load_breast_cancer"),
}


def to_csv(rows: list[list[str]]) -> bytes:
    """The same bytes from the same rows, on every machine."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def make(source: str) -> bytes:
    """The content of a named source.

    Raises:
        RunError: no source has this name.
    """
    if source not in SOURCES:
        raise RunError(f"unknown source {source!r}; there are {', '.join(SOURCES)}")
    return SOURCES[source]()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="ml_runtime.dataset", description=__doc__)
    parser.add_argument("--source", required=True, help=", ".join(SOURCES))
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--patience", type=float, default=120, help="seconds to go on trying while the store is away")
    options = parser.parse_args()

    def work() -> None:
        content = make(options.source)
        target = DataObject(bucket=options.bucket, key=options.key)
        written = patiently("the object store", options.patience, lambda: store.write(target, content))
        report = {
            "object": f"s3://{target.bucket}/{target.key}",
            "sha256": store.digest(content),
            "rows": content.count(b"\n"),
            "written": written,
        }
        print(json.dumps(report), flush=True)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
