"""Credentials that everybody knows, wherever an object has them: in Secrets, variables, fields, and YAML in text."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import yaml
from support import recorder

KNOWN = ("minio123", "minio", "12341234", "test", "password", "admin", "root", "katib", "kubeflow")
"""Passwords and keys of the releases, and what people try first."""
SENSITIVE = re.compile(r"pass(word|wd)?$|secret(access)?key$|secretkey$|accesskey$|token$|hash$", re.IGNORECASE)


def credentials(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Values in an object, with their paths, that everybody knows and that somebody could log in with."""
    data = {**item.get("data", {}), **item.get("stringData", {})} if item.get("kind") == "Secret" else {}
    for key, value in data.items():
        encoded = key in item.get("data", {}) and value != recorder.HIDDEN
        plain = base64.b64decode(value).decode(errors="replace") if encoded else value
        if plain in KNOWN or plain == "":
            yield f"{item['metadata']['name']}.{key}", plain
    yield from _inside(item, item.get("metadata", {}).get("name", ""))


def _inside(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        named = str(value.get("name", ""))
        if SENSITIVE.search(named) and value.get("value") in KNOWN:
            yield f"{path}.{named}", value["value"]
        if named == "MYSQL_ALLOW_EMPTY_PASSWORD":
            yield f"{path}.{named}", ""
        for key, each in value.items():
            if SENSITIVE.search(key) and each in KNOWN:
                yield f"{path}.{key}", each
            yield from _inside(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, path)
    elif isinstance(value, str) and "\n" in value and ":" in value:
        yield from _inside(_parsed(value), path)


def _parsed(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None
