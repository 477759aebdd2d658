"""The user's keys for the object store, as files that boto3 and the AWS command line read. Owns those two files."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ml_local.node import node
from ml_local.node.layout import Layout
from ml_local.private import write_private

NAMESPACE, SECRET, ACCOUNT = "storage", "s3", "root"
REGION = "us-east-1"


def write(layout: Layout, outputs: Mapping[str, Any]) -> None:
    """Write the credentials and the endpoint; `outputs` are the stack's."""
    secret = node.client(layout).get("v1", "Secret", SECRET, NAMESPACE)
    key = base64.b64decode(secret["data"][ACCOUNT]).decode()
    folder = layout.state / "aws"
    write_private(folder / "credentials", f"[default]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = {key}\n")
    settings = [
        "[default]",
        f"region = {REGION}",
        f"endpoint_url = {outputs['object_store_endpoint']}",
        "s3 =",
        "  addressing_style = path",
    ]
    write_private(folder / "config", "\n".join([*settings, ""]))
