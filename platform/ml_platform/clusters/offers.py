"""What a cloud says of itself before anything is asked of it, and what its answers refuse.

A node group whose machines a zone does not have fails after half an hour, on its own and in the cloud's words; asked
beforehand, it is a setting that is refused. Where the cloud gives no answer, that is a warning and no more: it refuses
by itself what can't be. Nothing that is found decides what is declared.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import pulumi

from ml_platform.configuration import PROJECT, SettingsError

A = TypeVar("A")


def ask(cloud: str, what: str, question: Callable[[], A]) -> A | None:
    """The answer, if there is one."""
    try:
        return question()
    except Exception as silent:  # Pulumi raises nothing narrower
        pulumi.log.warn(f"{cloud} did not say {what}, so nothing of it was checked: {silent}")
        return None


def refuse(problems: Iterable[str]) -> None:
    """Stops at problems.

    Raises:
        SettingsError: with all of them.
    """
    if found := list(problems):
        raise SettingsError("\n".join(found))


def differs(key: str, value: str, there: Iterable[str], says: str) -> str:
    """That the cloud does not have the value of a setting, and what it has."""
    path = f"{PROJECT}:cluster.{key}"
    return (
        f"{path} is {value!r}, and {says}: {', '.join(sorted(there)) or 'nowhere'}. Set it with:\n"
        f"  pulumi config set --path '{path}' <value>"
    )
