"""YAML as Kubernetes and Pulumi read it, which are written in Go: PyYAML's default differs in dates and numbers."""

import re
from typing import Any

import yaml

FLOAT = re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
INTEGER = re.compile(r"^[-+]?(0|0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|[1-9][0-9_]*)$")
BEGIN_FLOAT, BEGIN_INTEGER = list("-+.0123456789"), list("-+0123456789")
"""The first characters of numbers."""


class Loader(yaml.CSafeLoader):
    """Reads dates, numbers to base 60 and `=` as plain strings, since manifests and settings mean them so."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name
        letter: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("null", "bool", "merge")]
        for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


Loader.add_implicit_resolver("tag:yaml.org,2002:int", INTEGER, BEGIN_INTEGER)
Loader.add_implicit_resolver("tag:yaml.org,2002:float", FLOAT, BEGIN_FLOAT)


def load(text: str) -> Any:
    """The one document of `text`."""
    return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
