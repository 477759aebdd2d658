"""Questions to a cloud about what it offers, asked in a preview, so that settings that can't work are refused early.

A node group whose machine type a zone lacks fails only after half an hour. Where the cloud gives no answer, the user
gets a warning and the check is left out. No answer decides which resources are declared.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi

from ml_platform.clusters.cloud import Credentials
from ml_platform.configuration import PROJECT, SettingsError

A = TypeVar("A")
# Errors about credentials that are missing, wrong or expired. Errors about missing rights have other words.
_STALE = re.compile(
    r"(?i)expired|unauthorized\b|unauthenticated|invalid_grant|invalid_rapt|InvalidClientTokenId|UnrecognizedClient|"
    r"AuthFailure|\b401\b"
)


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """The cloud that questions go to: its provider, and its name and advice for messages."""

    login: Credentials
    provider: pulumi.ProviderResource

    def ask(self, what: str, function: Callable[..., A], **arguments: Any) -> A | None:
        """The answer of a function of the SDK; None, and a warning, where there is none. `what` is the question in the
        warning.

        Raises:
            SettingsError: the cloud refuses the credentials.
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
    """Raises one error with all problems, if there are any.

    Raises:
        SettingsError: there are problems; the message has all of them.
    """
    if found := list(problems):
        raise SettingsError("\n".join(found))


def differs(key: str, value: str, there: Iterable[str], says: str) -> str:
    """The message that the cloud lacks the value of the setting `key`, and what it has instead."""
    path = f"{PROJECT}:cluster.{key}"
    return (
        f"{path} is {value!r}, and {says}: {', '.join(sorted(there)) or 'nowhere'}. Set it with:\n"
        f"  pulumi config set --path '{path}' <value>"
    )
