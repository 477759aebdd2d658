"""The types of fields that several blocks of the workloads' settings have."""

from collections.abc import Sequence
from typing import Annotated, Literal

from ml_platform.configuration import ImageReference, Name, Resources, is_number, one_rule
from pydantic import AfterValidator, Field

Column = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$", description="The name of a column.")
]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Script = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_.][-A-Za-z0-9_./]*\.py$",
        description="A Python program, by its path from the folder of Pulumi.yaml.",
    ),
]


def _one_place(uri: str) -> str:
    if any(part in ("", ".", "..") for part in uri[len("s3://") :].removesuffix("/").split("/")):
        raise ValueError("it has an empty part, . or .. in it, which other tools take for another place")
    return uri


def _no_number(value: object) -> object:
    if is_number(value):
        raise ValueError("a number is written without quotes")
    return value


Uri = Annotated[
    str,
    Field(pattern=r"^s3://[a-z0-9][-a-z0-9]{1,61}[a-z0-9]/\S+$", description="An object, or a prefix with a /."),
    AfterValidator(_one_place),
]
DataName = Annotated[
    str,
    Field(
        pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?(\.[a-z]([-a-z0-9]*[a-z0-9])?)?$",
        description="A block of `data`, or <run>.table, which a run of Spark or a pipeline leaves.",
    ),
]
Version = Annotated[
    Literal["champion"] | Annotated[int, Field(ge=1)], one_rule("allowed: champion, or a number from 1")
]
Prefix = Annotated[Uri, Field(pattern=r"/$")]
Parameter = Annotated[
    bool | int | float | str | None,
    one_rule("a parameter is a number, a text, true, false or null"),
    AfterValidator(_no_number),
]

OwnImage = Annotated[
    ImageReference,
    one_rule(
        "it ends with @sha256: and the 64 hex digits of its digest, since a run of the same key is the same run, and "
        "a tag is another image with the next push; `docker buildx imagetools inspect <image>` and "
        "`skopeo inspect docker://<image>` show the digest"
    ),
]
# Not strict: the rule around it sees a list, which the strict mode takes for no tuple.
Command = Annotated[
    tuple[str, ...],
    Field(min_length=1, strict=False),
    one_rule("it is a list of texts, of which the first is the program; without it, the image's own entrypoint runs"),
]
Pool = Name | None
"""One of the cluster's node pools; None is wherever there is room, on nodes without taints."""


class WorkResources(Resources):
    """The resources of a container that may compute on GPUs."""

    gpu: Annotated[int, Field(ge=0, le=64)] = 0
    """NVIDIA GPUs. Nodes that have some may want pods that ask for them alone: name their pool as well."""

    @property
    def devices(self) -> dict[str, str]:
        return {"nvidia.com/gpu": str(self.gpu)} if self.gpu else {}


def _distinct(columns: tuple[str, ...]) -> tuple[str, ...]:
    if twice := ambiguous(columns):
        raise ValueError(f"names of columns must differ in more than their case: {' and '.join(map(repr, twice))}")
    return columns


# Not strict: where a field has several types, its validators see a list, which the strict mode takes for no tuple.
Columns = Annotated[tuple[Column, ...], Field(min_length=1, strict=False), AfterValidator(_distinct)]


def ambiguous(columns: Sequence[str]) -> tuple[str, str] | None:
    """The first two names that differ in nothing but their case, if any do: Spark can't tell them apart."""
    known: dict[str, str] = {}
    for name in columns:
        if (folded := name.casefold()) in known:
            return known[folded], name
        known[folded] = name
    return None


def bucket_of(uri: str) -> str:
    """The bucket of an s3:// URI."""
    return uri.removeprefix("s3://").partition("/")[0]
