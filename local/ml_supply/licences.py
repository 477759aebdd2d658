"""Under which licences packages are, by their metadata, and which of them this project takes, by licences.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from email.message import Message
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from cyclonedx.model.component import Component
from cyclonedx.spdx import is_expression
from license_expression import get_spdx_licensing
from ml_local.errors import LocalError
from packageurl import PackageURL
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = Path(__file__).with_name("licences.toml")
KINDS = ("pypi", "golang", "maven", "generic")
"""The types of package URLs of packages that state their licence."""
SPDX = get_spdx_licensing()


class ByHand(BaseModel):
    """What a package is under, and why it is taken so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str
    reason: Annotated[str, Field(min_length=20)]


class Terms(BaseModel):
    """licences.toml, which explains its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: frozenset[str]
    names: dict[str, str]
    texts: dict[str, str]
    packages: dict[str, ByHand]

    def by_hand(self, purl: PackageURL) -> str:
        """What the entry of a package says; empty where it has none."""
        name = str(PackageURL(purl.type, purl.namespace, purl.name))
        return next((each.licence for pattern, each in self.packages.items() if fnmatchcase(name, pattern)), "")

    def stated(self, metadata: Message) -> str:
        """The licence of a Python package as an SPDX expression; empty where its metadata does not tell."""
        if by_hand := self.by_hand(PackageURL("pypi", None, metadata["Name"])):
            return by_hand
        if expression := metadata["License-Expression"]:
            return str(expression)
        classifiers = [line for line in metadata.get_all("Classifier", ()) if line.startswith("License ::")]
        for words in ([metadata["License"] or ""], [line.rpartition(" :: ")[2] for line in classifiers]):
            known = [self._named(word) for word in words]
            if known and all(known):
                return " AND ".join(sorted(known))
        return ""

    def offered(self, names: Iterable[str]) -> str:
        """The licences of which anyone may choose one; empty where one of them is not known."""
        known = [self._named(name) for name in names]
        return " OR ".join(dict.fromkeys(known)) if all(known) else ""

    def _named(self, name: str) -> str:
        known = {_plain(each): licence for each, licence in self.names.items()}
        return known.get(_plain(name), name.strip() if is_expression(name.strip()) else "")

    def written(self, texts: Iterable[str]) -> str:
        """The licences that a package has the texts of; empty where one of them is not known."""
        found = [{name for name, words in self.texts.items() if words in _words(text)} for text in texts]
        return " AND ".join(sorted(set().union(*found))) if all(found) else ""

    def takes(self, component: Component) -> bool:
        """Whether a package may be used as it is."""
        stated = of(component)
        by_hand = self.by_hand(component.purl) if component.purl else ""
        return stated != "" and (stated == by_hand or self._takes(SPDX.parse(stated)))

    def _takes(self, expression: Any) -> bool:
        operator = getattr(expression, "operator", "").strip()
        if operator in ("AND", "OR"):
            return {"AND": all, "OR": any}[operator](self._takes(each) for each in expression.args)
        return expression.render() in self.allowed


def _plain(name: str) -> str:
    """Without what differs between names, or addresses, of the same."""
    return re.sub(r"^https?://(www\.)?|^the |(\.(txt|html|php))?(;.*)?$", "", name.strip().lower())


def _words(text: str) -> str:
    """Without what differs from file to file: line breaks, comment signs, upper case."""
    return " ".join(re.findall(r"[a-z0-9.]+", text.lower()))


@cache
def terms(path: Path = FILE) -> Terms:
    """
    Raises:
        LocalError: the file can't be read, or one of its entries breaks a rule.
    """
    try:
        return Terms.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LocalError(f"{path} can't be read:\n{error}") from error


def of(component: Component) -> str:
    """The SPDX expression; empty for a package that states none."""
    return "".join(getattr(licence, "value", "") for licence in component.licenses)


def listed(components: Iterable[Component]) -> Iterator[str]:
    """A line for each licence, with its packages."""
    by_licence: dict[str, list[str]] = {}
    for component in components:
        by_licence.setdefault(of(component) or "unknown", []).append(_named(component))
    for licence, packages in sorted(by_licence.items()):
        yield f"{licence}: {', '.join(sorted(packages))}"


def refused(components: Iterable[Component]) -> list[str]:
    """A line for each package that is under nothing that is taken."""
    return sorted(
        f"{_named(component)}: "
        + (f"{of(component)} is not among what is allowed" if of(component) else "it states no known licence")
        for component in components
        if not terms().takes(component)
    )


def _named(component: Component) -> str:
    return f"{'/'.join(filter(None, (component.group, component.name)))} {component.version}"
