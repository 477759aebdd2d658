"""Secrets come from Secrets."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import Container, containers

FLAG = re.compile(r"^--?([A-Za-z0-9_.-]+)(?:=(.+))?$")
ASSIGNED = re.compile(r"^([A-Z_][A-Z0-9_]*)=(.+)$")
URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/\s:@]*:(?![$])[^@/\s]+@", re.IGNORECASE)
REFERENCE = re.compile(r"^[\"']?([$`/]|file:)|^<.*>$|^(true|false|yes|no|on|off|none|null)$", re.IGNORECASE)
"""Another variable, a file, a mark of a text such as </s>, or a switch: not the secret itself."""
DOCUMENT = re.compile(r"^\s*[{\[]|\s\S")
"""A text of settings under the name of a file, with structure of its own."""
OF_PROCESSES = "in sight of all who may list processes or pods; take it from a file or a variable of a Secret"
OF_PODS = "in sight of all who may read pods; take it by valueFrom.secretKeyRef"


class Names(Parameters):
    names: str = (
        r"(password|passwd|passphrase|[a-z0-9_.-]pwd)$|(^|[_.-])(pass|secret|token|credentials?"
        r"|(secret|api|access|private|signing|encryption|account)[_.-]?key)$"
    )
    """Which variables and flags hold secrets, as a regular expression that ignores case."""


@dataclass(frozen=True)
class Settings:
    """Of a ConfigMap, which pods take as variables or files."""

    values: Mapping[str, Any]


def said(resource: Resource) -> Iterator[Container | Settings]:
    if resource.kind == "ConfigMap" and not resource.group:
        yield Settings(resource.props.get("data") or {})
    yield from containers(resource)


def check(holder: Container | Settings, parameters: Names) -> Iterator[str]:
    secret = re.compile(parameters.names, re.IGNORECASE)
    if isinstance(holder, Settings):
        for key, value in holder.values.items():
            if secret.search(key) and _plain(value) and not DOCUMENT.search(str(value)):
                yield f"its key {key} is a secret, in sight of all who may read ConfigMaps; keep it in a Secret"
        return
    for word in _arguments(secret, _words(holder)):
        yield f"{holder.name} has a secret in its argument {word}, {OF_PROCESSES}"
    for name, value in holder.variables:
        if (secret.search(name) and _plain(value)) or URL.match(str(value)):
            yield f"{holder.name} has a secret in its variable {name}, {OF_PODS}"


def _words(container: Container) -> Sequence[str]:
    """What a shell gets as one text is taken apart as a shell does it."""
    given = (*(container.spec.get("command") or []), *(container.spec.get("args") or []))
    return [word for text in given for word in str(text).split()]


def _arguments(secret: re.Pattern[str], words: Sequence[str]) -> Iterator[str]:
    """The names of those that are secrets: --name=value, --name value, NAME=value, or a URL with a password."""
    for word, after in pairwise((*words, "")):
        flag, assigned = FLAG.match(word), ASSIGNED.match(word)
        if flag and secret.search(flag[1]) and _plain(flag[2] or ("" if after.startswith("-") else after)):
            yield f"--{flag[1].lstrip('-')}"
        elif assigned and secret.search(assigned[1]) and _plain(assigned[2]):
            yield assigned[1]
        elif URL.match(word):
            yield word.partition("://")[0]


def _plain(value: object) -> bool:
    return bool(value) and not REFERENCE.match(str(value))


POLICY = ResourcePolicy(
    name="no-plain-secrets",
    asks="No secret is written into a variable or an argument of a container.",
    why="Whoever may read pods, logs or the state would have it, and rotating it would mean a new release.",
    parameters=Names,
    of=said,
    check=check,
    example="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: models}
spec: {template: {spec: {containers: [{name: web, image: x, env: [{name: DATABASE_PASSWORD, value: example}]}]}}}
""",
)
