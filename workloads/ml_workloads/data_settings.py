"""A block of `data` in ml-platform:workloads: a table as it is, the column to predict, and the rows that test a model.

The test rows belong to the data and not to a run, so that all models are judged by rows that none of them has seen.
"""

from typing import Annotated, Any, Literal, Self

from ml_platform.configuration import MisfitError, Settings, one_rule
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ml_workloads.fields import Column, Columns, Fraction, Uri, ambiguous

Task = Literal["classification", "regression"]
Kind = Literal["number", "category", "text", "time"]
Format = Literal["csv", "parquet", "jsonl", "text", "files"]
Package = Annotated[str, Field(pattern=r"^sklearn:(iris|wine|breast-cancer|digits|diabetes)$")]
Character = Annotated[str, Field(min_length=1, max_length=1)]
Schedule = Annotated[
    str, Field(pattern=r"^\S+( \S+){4}$", description="When, as cron writes it: minute hour day month weekday.")
]


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        raise ValueError("Python knows no such encoding of texts; utf-8, latin-1 and cp1252 are some") from None
    return encoding


def _since(value: object) -> object:
    """Without the words that Pulumi puts after a date that a stack file has without quotes."""
    return value.removesuffix(" +0000 UTC").replace(" ", "T") if isinstance(value, str) else value


class CsvSettings(Settings):
    """How a CSV is written."""

    separator: Character = ","
    decimal: Literal[".", ","] = "."
    quote: Character | None = '"'
    """The sign around a value that has the separator or a line break in it; twice within it, it is one. null: no sign
    is one, all are part of the values."""
    encoding: Annotated[str, Field(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_]*$"), AfterValidator(_known)] = "utf-8"
    """An encoding that Python knows. A byte order mark is not part of the first column's name."""
    header: Annotated[bool | Columns, one_rule("it is true, or a list of distinct names of columns")] = True
    """true: the first line has the names of the columns. A list: the names, and the first line is a row."""
    missing: tuple[str, ...] = ("", "NA", "NaN", "nan", "NULL", "null")
    """Texts that stand for a value that is missing."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.header is False:
            raise MisfitError("header", "it is true, or a list of distinct names of columns")
        if self.decimal == self.separator:
            raise MisfitError("decimal", "it must be another character than separator")
        if self.quote in (self.separator, self.decimal):
            raise MisfitError("quote", "it must be another character than separator and decimal")
        return self


class TestSettings(Settings):
    """Which rows test a model and are never trained on: a part of them, those from a time on, or other data."""

    fraction: Fraction | None = None
    """The part of the rows, 0.2 without any of these keys. A row is chosen by its content alone, by a threshold, so
    that growing data and a smaller fraction move nothing from the test to the training, and equal rows stay
    together."""
    by: Columns | None = None
    """The columns that say which rows belong together, a customer for example; without it, all features."""
    salt: str = ""
    """Any text; another one chooses other rows."""
    time: Column | None = None
    """The column of times; rows from `since` on test."""
    since: Annotated[str, BeforeValidator(_since), Field(pattern=r"^\d{4}-\d{2}-\d{2}(T\S+)?$")] | None = None
    """The first time that tests: 2026-09-01, or 2026-09-01T12:00:00Z."""
    uri: Uri | None = None
    """Data of the same form that test."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(each is not None for each in (self.fraction, self.since, self.uri)) > 1:
            raise ValueError("it has one of: fraction, since, uri")
        if (self.time is None) != (self.since is None):
            raise MisfitError("since", "a split by time has both, time and since")
        if (self.since or self.uri) and (self.by or self.salt):
            raise MisfitError("by" if self.by else "salt", "it belongs to a fraction; remove it", remove=True)
        return self

    @property
    def described(self) -> dict[str, Any]:
        """The same as a run is told."""
        if self.uri:
            return {"uri": self.uri}
        if self.since:
            return {"time": self.time, "from": self.since}
        by = {"by": list(self.by)} if self.by else {}
        return {"fraction": self.fraction or 0.2, **by, **({"salt": self.salt} if self.salt else {})}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return (*(self.by or ()), *((self.time,) if self.time else ()))


class LearnedSettings(Settings):
    """What is learned from a table."""

    target: Column | None = None
    """The column to predict; data that nothing learns from need none."""
    task: Task = "classification"
    """Whether classes are predicted or numbers. The names of classes stay as they are written."""
    features: Columns | None = None
    """The columns to predict it from; without it, all but the target, times, and those that the test goes by."""
    columns: dict[Column, Kind] = Field(default_factory=dict)
    """The kinds of columns, where the kind that their values look like is not the right one: a category that is
    written in digits, for example."""
    test: TestSettings = TestSettings()
    sample: Annotated[int, Field(ge=100, le=1_000_000_000)] | None = None
    """At most so many rows are held in memory and trained on, chosen by their content; without it, all of them. A
    script that takes batches trains on all, whatever is held."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if misfit := self.misfit:
            raise misfit
        return self

    @property
    def misfit(self) -> MisfitError | None:
        """What is wrong with the first key that does not go with the others."""
        if self.target and self.target in (self.features or ()):
            return MisfitError("features", f"the target {self.target!r} can't be among them")
        if self.target and self.target in self.test.columns:
            return MisfitError("test", f"the target {self.target!r} can't say which rows test")
        if twice := ambiguous([*self.columns]):
            return MisfitError("columns", f"{twice[0]!r} and {twice[1]!r} differ in nothing but their case")
        return None

    @property
    def learned(self) -> dict[str, Any]:
        """The same as a run is told."""
        return {
            "target": self.target,
            "task": self.task,
            "test": self.test.described,
            **({"columns": dict(self.columns)} if self.columns else {}),
            **({"features": list(self.features)} if self.features else {}),
            **({"sample": self.sample} if self.sample else {}),
        }


class DvcSettings(Settings):
    """Data by the file that DVC has for them in git: its digest is their version."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.][-A-Za-z0-9_./]*\.dvc$")]
    """By its path from the folder of Pulumi.yaml."""
    remote: Uri
    """The remote of DVC in the object store, as `dvc remote list` shows it."""


class DataSettings(LearnedSettings):
    """A table: an object, or all objects below a prefix."""

    uri: Annotated[
        Uri | Package | None,
        one_rule(
            "it is sklearn:iris, s3://<bucket>/<key>, or a prefix with a / at its end, without .. and empty parts"
        ),
    ] = None
    """Where it is: in the object store, or sklearn:iris, wine, breast-cancer, digits or diabetes, which are in
    scikit-learn."""
    dvc: DvcSettings | None = None
    """Data that DVC keeps, in place of a uri."""
    upload: Uri | None = None
    """Where data of a package are put, as CSV with a header, for Spark and others that read from the object store. What
    is there is never overwritten by other bytes."""
    format: Format | None = None
    """Without it, by the ending of the objects. files: each object below the prefix is a row, its folder a label."""
    csv: CsvSettings | None = None
    version: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Any text; another one says that the data are others. Without it, they are looked at, by `watch`."""
    watch: Schedule | None = "*/10 * * * *"
    """When the data are looked at again: what has changed since is another version of them, and starts the runs that
    learn from it with the next `up`. null: never."""

    @model_validator(mode="after")
    def _of_one_form(self) -> Self:
        if (self.uri is None) == (self.dvc is None):
            raise MisfitError("uri", "data have one of uri and dvc")
        if self.csv and self.format not in (None, "csv"):
            raise MisfitError("csv", f"the format is {self.format}; remove it", remove=True)
        if self.format == "files" and self.uri and not self.uri.endswith("/"):
            raise MisfitError("uri", "files are below a prefix, which ends with a /")
        if self.upload and not (self.uri or "").startswith("sklearn:"):
            raise MisfitError("upload", "it is for data of a package; remove it", remove=True)
        return self

    @property
    def stored(self) -> bool:
        """Whether the data are objects of the object store that are looked at."""
        return self.place.startswith("s3://")

    @property
    def place(self) -> str:
        """The URI that runs read."""
        return self.upload or self.uri or ""

    @property
    def described(self) -> dict[str, Any]:
        """The whole as a run is told."""
        form = {"format": self.format} if self.format else {}
        csv = {"csv": self.csv.model_dump(mode="json")} if self.csv else {}
        return {**({"uri": self.place} if self.place else {}), **form, **csv, **self.learned}
