"""Secrets come from Secrets."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import Hidden, below
from ml_policies.shapes.pods import Container, containers

FLAG = re.compile(r"^--?([A-Za-z0-9_.-]+)(?:=(.+))?$")
ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=([^=].*)$")
SEPARATORS = re.compile(r"[\s;&,]+")
URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:(?![$<{%*])[^@/\s]+@", re.IGNORECASE)
HEADER = re.compile(r"authorization:\s*(?:bearer|basic)\s+(?![$<{%])[\w.+/=-]{4,}", re.IGNORECASE)
KNOWN = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|hf_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|AIza[\w-]{30,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{20,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})"
)
"""Secrets that say themselves what they are."""
HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
VOCABULARY = re.compile(
    r"(^|[_.-])(bos|eos|pad|unk|cls|sep|mask|stop|start|end|special|image|next)[_.-]?token$", re.IGNORECASE
)
"""Tokens of a language model."""
REFERENCE = re.compile(
    r"^[\"']?([$`/]|file:|vault:|ref\+|op://|arn:aws[a-z-]*:(secretsmanager|ssm):|\{\{|%\()|^<.*>$"
    r"|^(true|false|yes|no|on|off|none|null)$",
    re.IGNORECASE,
)
"""Another variable, a file, a place in a store of secrets, a mark of a text such as </s>, or a switch."""
DOCUMENT = re.compile(r"^\s*[{\[]|\s\S")
"""A text of settings under the name of a file, with structure of its own."""
PUBLIC = (".crt", ".cert", ".pub")
"""How keys of a Secret end whose values everybody may see."""
OF_PROCESSES = "in sight of all who may list processes or pods; take it from a file or a variable of a Secret"
OF_PODS = "in sight of all who may read pods; take it by valueFrom.secretKeyRef"


class Names(Parameters):
    names: str = (
        r"(password|passwd|passphrase|[a-z0-9_.-]pwd)(_?[0-9]+)?$"
        r"|(^|[_.-])(pass|pat|secret|token|credentials?|apikey|(secret|api|access|private|signing|encryption|account|master"
        r"|shared|license|session)[_.-]?key)([_.-]?(base|value|v?[0-9]+))?$"
    )
    """Which variables and flags hold secrets, as a regular expression that ignores case."""


@dataclass(frozen=True)
class Settings:
    """Of a ConfigMap, which pods take as variables or files."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """Of a Secret, as far as its values are known."""

    values: Mapping[str, Any]


def said(resource: Resource) -> Iterator[Container | Settings | Kept]:
    if resource.kind == "ConfigMap" and not resource.group:
        yield Settings(resource.props.get("data") or {})
    if resource.kind == "Secret" and not resource.group:
        fields = below(resource.props)[0]
        yield from (Kept(below(fields.get(field))[0]) for field in ("data", "stringData"))
    yield from containers(resource)


def check(holder: Container | Settings | Kept, parameters: Names) -> Iterator[str]:
    if isinstance(holder, Kept):
        for key, value in holder.values.items():
            if value and not isinstance(value, Hidden) and not str(key).endswith(PUBLIC):
                yield f"its key {key} is plain in the state and in previews; make it a Pulumi secret (Output.secret)"
        return
    secret = re.compile(parameters.names, re.IGNORECASE)
    if isinstance(holder, Settings):
        for key, value in holder.values.items():
            if (_named(secret, key) and _plain(value) and not DOCUMENT.search(str(value))) or _told(value):
                yield f"its key {key} is a secret, in sight of all who may read ConfigMaps; keep it in a Secret"
        return
    for word in _arguments(secret, holder):
        yield f"{holder.name} has a secret in its argument {word}, {OF_PROCESSES}"
    for name, value in holder.variables:
        if (_named(secret, name) and _plain(value)) or _told(value):
            yield f"{holder.name} has a secret in its variable {name}, {OF_PODS}"


def _named(secret: re.Pattern[str], name: Any) -> bool:
    """By a name in whatever spelling: DB_TOKEN, db-token, dbToken."""
    written = HUMPS.sub("_", str(name))
    return bool(secret.search(written)) and not VOCABULARY.search(written)


def _told(value: Any) -> bool:
    """Whether a text gives a secret away by itself: a URL with a password, a header, a key of a known form."""
    text = str(value or "")
    return any(each.search(text) for each in (URL, HEADER, KNOWN))


def _arguments(secret: re.Pattern[str], container: Container) -> Iterator[str]:
    """The names of those that are secrets: --name=value, --name value, NAME=value, or what gives itself away. What a
    shell gets as one text is taken apart as a shell does it."""
    given = [str(each) for each in (*(container.spec.get("command") or []), *(container.spec.get("args") or []))]
    yield from (str(text).partition("://")[0].split()[-1].rpartition("=")[2] for text in given if _told(text))
    words = [word for text in given for word in SEPARATORS.split(text) if word]
    for word, after in pairwise((*words, "")):
        flag, assigned = FLAG.match(word), ASSIGNED.search(word)
        if flag and _named(secret, flag[1]) and _plain(flag[2] or ("" if after.startswith("-") else after)):
            yield f"--{flag[1].lstrip('-')}"
        elif not flag and assigned and _named(secret, assigned[1]) and _plain(assigned[2]):
            yield assigned[1]


def _plain(value: object) -> bool:
    return bool(value) and not REFERENCE.match(str(value))


POLICY = ResourcePolicy(
    name="no-plain-secrets",
    asks="No secret is written into a variable, an argument or a ConfigMap, nor plain into a Secret.",
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
