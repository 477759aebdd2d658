"""Secrets come from Secrets."""

import re
from collections.abc import Iterator

from ml_policies.engine.policy import Parameters, ResourcePolicy
from ml_policies.shapes.pods import Container, containers

FLAG = re.compile(r"^--?([A-Za-z0-9_.-]+)=(.+)$")
REFERENCE = re.compile(r"^\$\(.+\)$|^/|^file:")
"""Another variable, or a file: not the secret itself."""


class Names(Parameters):
    names: str = r"(^|[_.-])(password|passwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|credentials?)$"
    """Which variables and flags hold secrets, as a regular expression that ignores case."""


def check(container: Container, parameters: Names) -> Iterator[str]:
    secret = re.compile(parameters.names, re.IGNORECASE)
    for name, value in container.variables:
        if secret.search(name) and _plain(value):
            yield (
                f"{container.name} has a secret in its variable {name}, in sight of all who may read "
                "pods; take it by valueFrom.secretKeyRef"
            )
    for word in (*(container.spec.get("command") or []), *(container.spec.get("args") or [])):
        flag = FLAG.match(str(word))
        if flag and secret.search(flag[1]) and _plain(flag[2]):
            yield (
                f"{container.name} has a secret in its argument --{flag[1].lstrip('-')}, in sight of all who may list "
                "processes or pods; take it from a file or a variable of a Secret"
            )


def _plain(value: object) -> bool:
    return bool(value) and not REFERENCE.match(str(value))


POLICY = ResourcePolicy(
    name="no-plain-secrets",
    asks="No secret is written into a variable or an argument of a container.",
    why="Whoever may read pods, logs or the state would have it, and rotating it would mean a new release.",
    parameters=Names,
    of=containers,
    check=check,
    example="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: models}
spec: {template: {spec: {containers: [{name: web, image: x, env: [{name: DATABASE_PASSWORD, value: example}]}]}}}
""",
)
