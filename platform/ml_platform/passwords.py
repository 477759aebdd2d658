"""Passwords that nobody chooses: derived from the stack's seed, so that they are the same on every run.

A password made at random and kept in the state can be lost, or be written anew over one in use, when a run is
killed. A derived one can't. It is changed by raising its version; whoever holds it must then take the new one.
"""

import hashlib
import hmac
import json

import pulumi

LENGTH = 24  # bytes


def derive(seed: pulumi.Input[str], purpose: str, version: int = 1) -> pulumi.Output[str]:
    """The password for `purpose`, always secret: hexadecimal digits, safe in any URL and shell."""
    return pulumi.Output.secret(seed).apply(lambda value: password(value, purpose, version))


def password(seed: str, purpose: str, version: int = 1) -> str:
    """HKDF-SHA256 of the seed for one purpose and version."""
    # Here, since most of the modules that need this one only for its type never derive anything.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = f"ml-platform/{purpose}/{version}".encode()
    return HKDF(algorithm=SHA256(), length=LENGTH, salt=None, info=info).derive(seed.encode()).hex()


def fingerprint(seed: pulumi.Input[str], *secrets: pulumi.Input[str]) -> pulumi.Output[str]:
    """What of `secrets` may be shown to everybody: eight characters that change with any of them. They are keyed by the
    seed, so that guesses at a short secret can't be tried against them."""
    made = pulumi.Output.all(seed, *secrets).apply(lambda values: keyed_digest(values[0], values[1:]))
    return pulumi.Output.unsecret(made)


def keyed_digest(seed: str, secrets: list[str]) -> str:
    """HMAC-SHA256 of the secrets, each by itself."""
    return hmac.new(
        password(seed, "fingerprint", 1).encode(), json.dumps(secrets).encode(), hashlib.sha256
    ).hexdigest()[:8]
