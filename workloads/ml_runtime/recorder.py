"""What a model was asked and has answered, handed to the collector of requests behind the answer.

The variable ML_REQUESTS says how:

    {"url": "http://requests.models.svc.cluster.local:8080",   the collector
     "service": "iris",                                        the block of `serving`
     "version": "3",                                           optional: what answers; default: MLSERVER_MODEL_VERSION
     "sample": 1.0,                                            the part of all requests that is kept
     "named": ["customer"],                                    columns that the settings drop or hash
     "every": 60}                                              seconds between two batches

A request is a line of JSON: id, time, the columns as the model was given them, and the outputs. What people say of an
answer is one too, under the answer's id. It owns these lines. Which columns are kept, and where, the collector decides.
"""

from __future__ import annotations

import base64
import difflib
import json
import os
import random
import time
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ml_runtime.response_outputs import Output
from ml_runtime.spool import RefusedError, Spool
from ml_runtime.tensor import listed

VARIABLE, FOLDER = "ML_REQUESTS", Path("/requests")
INPUT = "input-"
"""A column without a name is called so, with its number."""
PATIENCE, LAST_PATIENCE = 60.0, 15.0
"""Seconds that the collector may take for a batch, and that the end of the server waits for it."""
NEVER = (400, 413)
"""The codes by which the collector says that it never takes a batch."""


class UnknownColumnError(Exception):
    """The settings name a column that is not there; the message is all there is to say."""


class Recorder:
    """Of one version of a served model."""

    def __init__(self, spool: Spool, sample: float, named: Sequence[str] = ()) -> None:
        self._spool, self._sample, self._named = spool, sample, named

    def check(self, columns: Collection[str]) -> None:
        """Raises UnknownColumnError where the settings drop or hash a column that a model with these columns and
        outputs does not have: the one that is meant would be kept."""
        for name in (each for each in self._named if each not in columns):
            near = difflib.get_close_matches(name, columns, 1)
            meant = f"; is {near[0]!r} meant?" if near else ""
            there = f"the model has {listed([*columns])}{meant}"
            raise UnknownColumnError(f"the setting `requests` names the column {name!r} in drop or hash, and {there}")

    def answered(self, request: str, asked: Any, outputs: Sequence[Output]) -> None:
        """Keep a request, or not, by the sample."""
        if self._sample < 1 and random.random() >= self._sample:  # noqa: S311 - a sample is no secret
            return
        answer = {each.name: _rows(each.data, each.shape) for each in outputs}
        self._add({"id": request, "request": columns(asked), "answer": answer})

    def judged(self, request: str, good: bool, comment: str) -> None:
        """Keep what somebody says of the answer to this request."""
        self._add({"id": request, "good": good, "comment": comment})

    def close(self) -> None:
        self._spool.close(LAST_PATIENCE)

    def _add(self, line: Mapping[str, Any]) -> None:
        self._spool.add(json.dumps({**line, "time": time.time()}, default=_plain).encode() + b"\n")


@cache
def of_process() -> Recorder | None:
    """That of this process; None where requests are not kept."""
    if VARIABLE not in os.environ:
        return None
    settings = json.loads(os.environ[VARIABLE])
    version = settings.get("version") or os.environ.get("MLSERVER_MODEL_VERSION", "none")
    below = f"{settings['url']}/{settings['service']}/{version}"
    spool = Spool(FOLDER, lambda name, content: give(f"{below}/{name}", content), every=settings["every"])
    return Recorder(spool, settings["sample"], settings["named"])


def give(url: str, content: bytes) -> None:
    """Put a batch there.

    Raises:
        RefusedError: it is never taken.
        OSError: it may be taken later.
    """
    try:
        with urlopen(Request(url, content, method="PUT"), timeout=PATIENCE):  # noqa: S310 - the stack's own collector
            return
    except HTTPError as answer:
        if answer.code not in NEVER:
            raise
        raise RefusedError(f"{url}: {answer.code}, {answer.read(500).decode(errors='replace')}") from answer


def columns(asked: Any) -> dict[str, list[Any]]:
    """What a model was asked, by column: of a table, of several arrays, or of one without a name."""
    if hasattr(asked, "columns"):
        return {_named(name): _present(asked[name].tolist()) for name in asked.columns}
    if isinstance(asked, Mapping):
        return {str(name): _present(values.tolist()) for name, values in asked.items()}
    return {f"{INPUT}0": _present(asked.tolist())}


def _present(values: Sequence[Any]) -> list[Any]:
    """None for what is missing, for which JSON has no number."""
    return [_present(each) if isinstance(each, list) else None if each != each else each for each in values]


def _named(column: Any) -> str:
    return column if isinstance(column, str) else f"{INPUT}{column}"


def _rows(data: Sequence[Any], shape: Sequence[int]) -> list[Any]:
    """The values of an output by row."""
    width = len(data) // shape[0] if shape and shape[0] else 1
    return [*data] if width <= 1 else [data[place : place + width] for place in range(0, len(data), width)]


def _plain(value: Any) -> str:
    """What JSON has no word for: texts of bytes, others as base64; times as they are written."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
