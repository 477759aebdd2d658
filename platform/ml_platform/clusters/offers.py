"""What a cloud says of itself before anything is asked of it, and what its answers refuse.

A node group whose machines a zone does not have fails after half an hour, on its own and in the cloud's words; asked
beforehand, it is a setting that is refused. Where the cloud gives no answer, that is a warning and no more: it refuses
by itself what can't be. Nothing that is found decides what is declared.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi

from ml_platform.clusters.cloud import Credentials
from ml_platform.configuration import PROJECT, SettingsError

A = TypeVar("A")
# To lack a right is called otherwise.
_STALE = re.compile(
    r"(?i)expired|unauthorized\b|unauthenticated|invalid_grant|invalid_rapt|InvalidClientTokenId|UnrecognizedClient|"
    r"AuthFailure|\b401\b"
)


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """To whom questions go, and who asks."""

    login: Credentials
    provider: pulumi.ProviderResource

    def ask(self, what: str, function: Callable[..., A], **arguments: Any) -> A | None:
        """What a function of the SDK answers, if it does.

        Raises:
            SettingsError: the cloud does not take the credentials.
        """
        try:
            return function(**arguments, opts=pulumi.InvokeOptions(provider=self.provider))
        except Exception as silent:  # Pulumi raises nothing narrower
            if _STALE.search(str(silent)):
                raise SettingsError(
                    f"{self.login.cloud} does not take the credentials that there are: {silent}. {self.login.way_out}"
                ) from silent
            pulumi.log.warn(f"{self.login.cloud} did not say {what}, so nothing of it was checked: {silent}")
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
