"""A GitLab job's identity tokens, where the SDKs and command lines of AWS and Google look for them.

GitHub has actions for this. Neither has a key: each cloud trusts the CI's own tokens, which end with the job.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ml_ci.forge import variable

STS = "https://sts.googleapis.com/v1/token"
IMPERSONATE = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"


def log_in() -> list[str]:
    """Write what there is a token for; the clouds that are logged in to."""
    done = []
    if os.environ.get("AWS_ROLE_ARN"):
        _write(variable("AWS_WEB_IDENTITY_TOKEN_FILE", "where the token goes"), _token("AWS_ID_TOKEN"))
        done.append("AWS")
    if provider := os.environ.get("GCP_IDENTITY_PROVIDER"):
        path = Path(variable("GOOGLE_APPLICATION_CREDENTIALS", "where the credentials go"))
        token = path.with_suffix(".token")
        _write(str(token), _token("GCP_ID_TOKEN"))
        account = variable("GCP_SERVICE_ACCOUNT", "the account that is impersonated")
        _write(str(path), json.dumps(_federated(provider, account, token)))
        done.append("Google")
    return done


def _federated(provider: str, account: str, token: Path) -> dict[str, object]:
    return {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{provider}",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": STS,
        "service_account_impersonation_url": IMPERSONATE.format(account=account),
        "credential_source": {"file": str(token)},
    }


def _token(name: str) -> str:
    return variable(name, "the job's `id_tokens` has it")


def _write(path: str, text: str) -> None:
    """For this job's own eyes."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
