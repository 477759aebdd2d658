"""The requests of served models as they lie in the object store: parquet by service, version and day.

    <prefix>service=<block>/version=<version>/day=<yyyy-mm-dd>/<batch>.parquet

A row is a request with its answer, both as JSON by column, or what somebody says of one, under the id of its answer. It
owns the columns and the keys; what comes in is the business of ml_runtime.collector.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ml_runtime import store
from ml_runtime.places import Stored

if TYPE_CHECKING:
    from pyarrow import Table

KEY = re.compile(r"service=([^/]+)/version=([^/]+)/day=(\d{4}-\d{2}-\d{2})/([^/]+)\.parquet")
DAY = re.compile(r"/day=(\d{4}-\d{2}-\d{2})/$")
AT_ONCE = 8
TEXTS = ("id", "request", "answer", "comment")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One object, as its key tells of it."""

    service: str
    version: str
    day: date
    batch: str

    def below(self, prefix: Stored) -> Stored:
        """Where it lies."""
        folder = f"service={self.service}/version={self.version}/day={self.day.isoformat()}"
        return Stored(bucket=prefix.bucket, key=f"{prefix.key}{folder}/{self.batch}.parquet")


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A request that was answered."""

    id: str
    time: datetime
    version: str
    request: Mapping[str, Sequence[Any]]
    """The values of each column, by row."""
    answer: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What somebody says of an answer."""

    id: str
    time: datetime
    version: str
    good: bool
    comment: str


def of_key(prefix: Stored, place: Stored) -> Part | None:
    """The part that lies there, if one does."""
    found = KEY.fullmatch(place.key.removeprefix(prefix.key))
    if found is None:
        return None
    service, version, day, batch = found.groups()
    return Part(service=service, version=version, day=date.fromisoformat(day), batch=batch)


def to_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The content of an object with these rows."""
    import pyarrow
    from pyarrow import parquet

    texts = {name: pyarrow.array([row.get(name) for row in rows], pyarrow.string()) for name in TEXTS}
    times = pyarrow.array([row["time"] for row in rows], pyarrow.timestamp("us", "UTC"))
    good = pyarrow.array([row.get("good") for row in rows], pyarrow.bool_())
    content = io.BytesIO()
    parquet.write_table(pyarrow.table({**texts, "time": times, "good": good}), content, compression="zstd")
    return content.getvalue()


def parts(
    prefix: Stored, service: str, patience: float, wanted: Callable[[date], bool]
) -> Iterator[tuple[Part, Stored]]:
    """All parts of a service on the days that are wanted, with where they lie.

    Raises:
        RunError: no right to them.
    """
    below = Stored(bucket=prefix.bucket, key=f"{prefix.key}service={service}/")
    for version in store.folders(below, patience):
        for folder in store.folders(version, patience):
            found = DAY.search(folder.key)
            if found and wanted(date.fromisoformat(found[1])):
                places = [each.place for each in store.below(folder, patience)]
                yield from ((part, place) for place in places if (part := of_key(prefix, place)))


def read(
    prefix: Stored, services: Sequence[str], since: datetime, until: datetime, patience: float
) -> Iterator[Answered | Opinion]:
    """All of these services in that time, each request once, the newest day first.

    Raises:
        RunError: no right to them.
    """
    first, last = since.date(), until.date()
    found = [
        each for service in services for each in parts(prefix, service, patience, lambda day: first <= day <= last)
    ]
    found.sort(key=lambda each: (each[0].day, each[0].batch), reverse=True)
    known: set[tuple[bool, str]] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(found), AT_ONCE):  # no more of them in memory
            some = found[start : start + AT_ONCE]
            contents = pool.map(lambda each: store.read(each[1], patience), some)
            for (part, _), content in zip(some, contents, strict=True):
                for row in _rows(content):
                    key = (row["request"] is None, row["id"])
                    if since <= row["time"] < until and key not in known:
                        known.add(key)
                        yield _entry(part.version, row)


def _rows(content: bytes | None) -> list[dict[str, Any]]:
    """Those of an object, which may have gone meanwhile."""
    from pyarrow import parquet

    if content is None:
        return []
    table: Table = parquet.read_table(io.BytesIO(content))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _entry(version: str, row: Mapping[str, Any]) -> Answered | Opinion:
    known = {"id": row["id"], "time": row["time"], "version": version}
    if row["request"] is None:
        return Opinion(**known, good=row["good"], comment=row["comment"] or "")
    return Answered(**known, request=json.loads(row["request"]), answer=json.loads(row["answer"]))


def oldest(keep: int, now: datetime) -> date:
    """The first day that is kept, of so many days."""
    return now.astimezone(UTC).date() - timedelta(days=keep)
