"""Which vulnerabilities are accepted for a time, by accepted.toml. It does not look for any."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from ml_local.errors import LocalError
from packageurl import PackageURL
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ml_supply.vulnerabilities import Finding

FILE = Path(__file__).with_name("accepted.toml")


def _of_all_versions(text: str) -> str:
    purl = PackageURL.from_string(text)
    if purl.version:
        raise ValueError(f"it names the version {purl.version}, and is to be of all versions")
    return str(purl)


class Acceptance(BaseModel):
    """One entry of accepted.toml, which explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    package: Annotated[str, AfterValidator(_of_all_versions)]
    reason: Annotated[str, Field(min_length=20)]
    until: date

    def __str__(self) -> str:
        return f"{FILE.name}: {self.id} of {self.package}"

    def covers(self, finding: Finding) -> bool:
        """Whether it is about that vulnerability of that package, however late it is."""
        return self.package == finding.package and self.id in finding.numbers


class Accepted(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accepted: tuple[Acceptance, ...] = ()


def read(path: Path = FILE) -> tuple[Acceptance, ...]:
    """
    Raises:
        LocalError: the file can't be read, or one of its entries breaks a rule.
    """
    try:
        return Accepted.model_validate(tomllib.loads(path.read_text())).accepted
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LocalError(f"{path} can't be read:\n{error}") from error


def left(findings: Collection[Finding], entries: Collection[Acceptance], today: date) -> list[Finding]:
    """What nobody accepts, or not any more."""
    valid = [entry for entry in entries if entry.until >= today]
    return [finding for finding in findings if not any(entry.covers(finding) for entry in valid)]


def outdated(
    findings: Sequence[Finding], entries: Collection[Acceptance], seen: Collection[str] | None, today: date
) -> Iterator[str]:
    """A line for each entry that has had its time, or that nothing needs.

    Args:
        findings: all vulnerabilities that were found.
        entries: of accepted.toml.
        seen: the packages that were looked up; none if these are all that there are. What was not looked up may still
            need its entry.
        today: the last day on which an entry may end.
    """
    for entry in entries:
        if not any(entry.covers(finding) for finding in findings) and (seen is None or entry.package in seen):
            yield f"{entry} is accepted, and nothing has it any more: remove the entry"
        elif entry.until < today:
            yield f"{entry} was accepted until {entry.until}: take a version without it, or accept it anew"
