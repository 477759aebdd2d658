"""The verdict of a run, whatever it did; and its way into a ConfigMap through the Kubernetes API.

The pod's account needs the rights to create ConfigMaps in its namespace and to patch the one that is named.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ml_runtime.errors import RunError
from ml_runtime.patience import patiently
from ml_runtime.spec import VERDICT_KEY, VerdictPlace

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
FIELD_MANAGER = "ml-runtime"
UNTIL_KNOWN, PAUSE = 30.0, 1.0
"""Seconds in which an API server that is busy may not know yet what rights it has just been told of."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a run; its JSON is under the key `verdict.json` of the ConfigMap."""

    run: str
    accepted: bool
    rule: str
    """Which one decided: the one that refused, or what the run's kind calls its good end."""
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What the rules looked at."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What the run leaves, by name: {"model": <MLflow run>}, {"table": <sha256>}, {"champion": ..., "version": ...}."""

    def to_json(self) -> str:
        """JSON has no word for what is not finite: such numbers are left out."""
        known = {name: value for name, value in self.numbers.items() if isfinite(value)}
        return json.dumps({**asdict(self), "numbers": known}, indent=2, sort_keys=True, allow_nan=False)


def write(verdict: Verdict, place: VerdictPlace, patience: float) -> None:
    """Put the verdict there, whether the ConfigMap exists or not.

    Raises:
        RunError: this is no pod, its account may not, or the API was away for too long.
    """
    end = time.monotonic() + UNTIL_KNOWN
    while True:
        try:
            return patiently("the Kubernetes API", patience, lambda: _write(verdict, place))
        except HTTPError as refused:
            if refused.code not in (401, 403):
                raise
            if time.monotonic() >= end:
                raise RunError(
                    f"the pod's account may not write the ConfigMap {place.namespace}/{place.configmap} "
                    f"({refused.code}): it needs the verbs create on configmaps, and patch on this one"
                ) from refused
            time.sleep(PAUSE)


def _write(verdict: Verdict, place: VerdictPlace) -> None:
    folder = f"/api/v1/namespaces/{place.namespace}/configmaps"
    data = {"data": {VERDICT_KEY: verdict.to_json()}}
    try:
        _send("PATCH", f"{folder}/{place.configmap}", data, "application/merge-patch+json")
    except HTTPError as answer:
        if answer.code != 404:
            raise
        metadata = {"name": place.configmap, "labels": {"ml-platform/run": verdict.run}}
        _send(
            "POST", folder, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **data}, "application/json"
        )


def _send(method: str, path: str, body: dict[str, Any], kind: str) -> None:
    try:
        host = os.environ["KUBERNETES_SERVICE_HOST"]
        token = (ACCOUNT / "token").read_text()
    except (KeyError, OSError) as nowhere:
        raise RunError(
            f"no account of the Kubernetes API here ({nowhere}); the pod needs automountServiceAccountToken: true, or "
            "leave `verdict` out of the description"
        ) from nowhere
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    url = f"https://{host}:{port}{path}?fieldManager={FIELD_MANAGER}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    request = Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - always https
    with urlopen(request, timeout=20, context=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))):  # noqa: S310
        pass
