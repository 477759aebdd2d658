"""What need not fulfil a policy: written down in exemptions.toml, with a reason and a last day."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ml_policies.engine.resource import Resource

FILE = Path(__file__).resolve().parents[2] / "exemptions.toml"


LONGEST = timedelta(days=400)
"""How far ahead the last day of an exemption may be: to the end of the next year's season."""


class SettingsError(Exception):
    """A file or a setting of the pack breaks a rule; the message names it, the rule and the way out."""


class Exemption(BaseModel):
    """`resources` are patterns for titles of resources (`Deployment models/*`); `bundle` and `stacks` narrow them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policies: Annotated[tuple[str, ...], Field(min_length=1)]
    resources: Annotated[tuple[str, ...], Field(min_length=1)]
    bundle: str = "*"
    stacks: Annotated[tuple[str, ...], Field(min_length=1)] = ("*",)
    reason: Annotated[str, Field(min_length=20)]
    until: date

    def covers(self, policy: str, resource: Resource, stack: str) -> bool:
        return policy in self.policies and self.fits(resource, stack)

    def fits(self, resource: Resource, stack: str) -> bool:
        """Whether it is of the resource, whatever the policy says."""
        return (
            any(fnmatchcase(resource.title, pattern) for pattern in self.resources)
            and fnmatchcase(resource.bundle, self.bundle)
            and any(fnmatchcase(stack, pattern) for pattern in self.stacks)
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    exemption: tuple[Exemption, ...] = ()


def load(path: Path = FILE) -> Sequence[Exemption]:
    """
    Raises:
        SettingsError: the file can't be read, or one of its entries breaks a rule.
    """
    try:
        return _File.model_validate(tomllib.loads(path.read_text())).exemption
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}") from error
    except ValidationError as error:
        raise SettingsError(explained(path.name, error)) from None


def explained(place: str, error: ValidationError) -> str:
    """Each problem in one line: where, what was given, what is wrong."""
    return "\n".join(
        f"{place}.{'.'.join(map(str, each['loc']))}: {each['msg']} (given: {each['input']!r})"
        for each in error.errors()
    )


def check_ends(exemptions: Iterable[Exemption], today: date) -> None:
    """
    Raises:
        SettingsError: an exemption is for longer than anybody knows what will be.
    """
    for each in exemptions:
        if each.until > today + LONGEST:
            raise SettingsError(
                f"{FILE.name}: until = {each.until} is {(each.until - today).days} days ahead (exemption of "
                f"{', '.join(each.resources)} from {', '.join(each.policies)}); at most {LONGEST.days} days, "
                f"which is {today + LONGEST}: renew it then, or mend what it is about"
            )


def check_names(exemptions: Iterable[Exemption], policies: Iterable[str]) -> None:
    """
    Raises:
        SettingsError: an exemption is from a policy that there is not.
    """
    known = set(policies)
    for each in exemptions:
        if strange := sorted(set(each.policies) - known):
            raise SettingsError(
                f"{FILE.name}: {', '.join(strange)} is no policy (exemption of {', '.join(each.resources)}); there are "
                f"{', '.join(sorted(known))}"
            )
