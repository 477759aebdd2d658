"""The outputs of another stack, read with errors that say what is missing there and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform.configuration import PROJECT, SettingsError


class OtherStack:
    """The stack `name`, which the key `key` of this stack's settings names. Its outputs are known in every preview."""

    def __init__(self, key: str, name: str) -> None:
        self._key, self._name = f"{PROJECT}:{key}", name
        # The reference has the key as its name: the engine shows it in its own error about a stack that is missing.
        self._reference = pulumi.StackReference(self._key, name)

    def output(self, name: str) -> pulumi.Output[Any]:
        """The plain output `name`.

        An Output of it fails with a SettingsError where the stack has no such output.
        """
        return self._reference.get_output(name).apply(lambda value: self._present(name, value))

    def optional(self, name: str) -> pulumi.Output[Any]:
        """The plain output `name`; None where the stack has none."""
        return self._reference.get_output(name)

    def secret(self, name: str) -> pulumi.Output[str]:
        """The secret output `name`; it stays a secret here.

        An Output of it fails with a SettingsError where the stack has no such output, or a plain one, or one that can't
        be decrypted here.
        """
        both = pulumi.Output.all(self._reference.get_output(name), self._reference.secret_output_names)
        return pulumi.Output.secret(both.apply(lambda found: self._sealed(name, *found)))

    def _present(self, name: str, value: Any) -> Any:
        if value is None:
            raise SettingsError(
                f"{self._key} is {self._name!r}, and that stack has no output {name!r}: either its `pulumi up` has not "
                f"ended yet, or it is another program's, or it has nothing of the kind. Bring it up first, or name "
                f"another one, as `pulumi stack ls --all` shows them:\n"
                f"  pulumi config set --path '{self._key}' <organization>/<project>/<stack>"
            )
        return value

    def _sealed(self, name: str, value: Any, secrets: Sequence[str]) -> str:
        self._present(name, value)
        if name not in secrets:
            raise SettingsError(
                f"{self._key} is {self._name!r}, whose output {name!r} is not secret: whoever may read that stack "
                f"reads it in the clear. Have that stack export it as a secret, and change what it has already shown"
            )
        if isinstance(value, Mapping):  # the engine's placeholder for a secret that it can't decrypt
            raise SettingsError(
                f"{self._key} is {self._name!r}, whose output {name!r} can't be decrypted here: that stack's secrets "
                f"have another passphrase or key. Use the same one, or do without that output: "
                f"docs/environments/team.md says how"
            )
        return str(value)
