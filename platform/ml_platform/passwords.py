"""Passwords derived from the stack's seed, so that they are the same on every run.

A random password in the state can be lost when a run is killed, or be replaced while it is in use; a derived one can't.
Raising its version changes a password, and every pod that uses it must then read the new one.
"""

import hashlib
import hmac
import json

import pulumi

LENGTH = 24  # bytes


def derive(seed: pulumi.Input[str], purpose: str, version: int = 1) -> pulumi.Output[str]:
    """The password for `purpose`, as a secret Output: hexadecimal digits, which are safe in any URL and shell."""
    return pulumi.Output.secret(seed).apply(lambda value: password(value, purpose, version))


def password(seed: str, purpose: str, version: int = 1) -> str:
    """HKDF-SHA256 of the seed for one purpose and version."""
    # The import is here since cryptography is slow to load, and most users of this module derive nothing.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = f"ml-platform/{purpose}/{version}".encode()
    return HKDF(algorithm=SHA256(), length=LENGTH, salt=None, info=info).derive(seed.encode()).hex()


def fingerprint(seed: pulumi.Input[str], *secrets: pulumi.Input[str]) -> pulumi.Output[str]:
    """A fingerprint of `secrets` that everybody may see: eight characters that change with any of the secrets. The seed
    keys the digest, so that a short secret can't be guessed from it."""
    made = pulumi.Output.all(seed, *secrets).apply(lambda values: keyed_digest(values[0], values[1:]))
    return pulumi.Output.unsecret(made)


def keyed_digest(seed: str, secrets: list[str]) -> str:
    """The first eight digits of the HMAC-SHA256 of the list of secrets."""
    return hmac.new(
        password(seed, "fingerprint", 1).encode(), json.dumps(secrets).encode(), hashlib.sha256
    ).hexdigest()[:8]
