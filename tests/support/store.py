"""The object store of the node as its user reaches it, after `eval "$(make env)"`."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from ml_local import environment
from ml_local.node.layout import layout


def client() -> Any:
    """An S3 client that may read and write everything."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.variables(layout()).items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        return boto3.Session().client("s3")
