"""The issuer of bearer tokens that tests/stacks/istio.yaml trusts, and others that it does not.

The key is no secret: it is derived from a public text, so that the stack's file can hold its public half.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

NAME, AUDIENCE, KEY_ID = "https://issuer.example.com", "ml-platform", "tests"
TRUSTED = "tests/stacks/istio.yaml"


def token(*, key: str = TRUSTED, **claims: Any) -> str:
    """A token that is good for ten minutes, unless `claims` or `key` say otherwise."""
    now = int(time.time())
    content = {"iss": NAME, "aud": AUDIENCE, "sub": "a user", "iat": now, "exp": now + 600, **claims}
    head = {"alg": "ES256", "typ": "JWT", "kid": KEY_ID}
    signed = f"{_text(json.dumps(head).encode())}.{_text(json.dumps(content).encode())}"
    private = ec.derive_private_key(int.from_bytes(sha256(key.encode()).digest()), ec.SECP256R1())
    r, s = utils.decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_text(r.to_bytes(32) + s.to_bytes(32))}"


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
