"""Objects before a real API server: fields that a schema does not have are refused, not pruned."""

from __future__ import annotations

import time
from typing import Any

from ml_platform.bundles.parse import Object, title
from ml_platform.kube import Client, KubeError, NoMatch
from ml_platform.kube.client import APPLY


def refusal(client: Client, item: Object, *, dry_run: bool = False) -> str | None:
    """What the API server has against an object; None if nothing."""
    try:
        kind = served(client, item)
        if kind.namespaced != ("namespace" in item["metadata"]):
            return f"{title(item)} has a namespace and should not, or has none and should"
        path = kind.path(item["metadata"].get("namespace"), item["metadata"]["name"])
        params = {"fieldManager": "test", "force": "true", "fieldValidation": "Strict"}
        params |= {"dryRun": "All"} if dry_run else {}
        client.request("PATCH", path, params=params, body=item, headers={"Content-Type": APPLY})
    except KubeError as error:
        return f"{title(item)}: {error.message}"
    return None


def served(client: Client, item: Object) -> Any:
    """The kind of an object; that of a CRD just established takes a moment to be announced."""
    end = time.monotonic() + 10
    while True:
        try:
            return client.resource(item["apiVersion"], item["kind"])
        except NoMatch:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
