"""The table of `make status`: each served model with its version, its replicas, and how it does.

It asks the cluster for what is there and the platform's metrics, where there are some, for how it does.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ml_platform.kube import Client, Object
from ml_platform.labels import SERVICE

from ml_local.errors import LocalError
from ml_local.predict import of_outputs, send

NAMESPACE = "models"
VERSION = "MLSERVER_MODEL_VERSION"
WINDOW = "5m"
UNKNOWN = "-"
_ASKED = "rest_server_requests_total"
QUERIES = {
    "a second": f"sum by (service) (rate({_ASKED}[{WINDOW}]))",
    "failed": f'sum by (service) (rate({_ASKED}{{status_code=~"5.."}}[{WINDOW}]))',
    "p95 ms": "1000 * histogram_quantile(0.95, sum by (service, le)"
    f" (rate(rest_server_request_duration_seconds_bucket[{WINDOW}])))",
}
"""By column, what is asked of the metrics."""


def table(client: Client, outputs: Mapping[str, Any]) -> list[list[str]]:
    """Rows of texts, the first one the head; none where no model is served."""
    services = client.list("serving.kserve.io/v1beta1", "InferenceService", NAMESPACE) if of_outputs(outputs) else []
    if not services:
        return []
    found = {column: _by_service(outputs, query) for column, query in QUERIES.items() if "dashboards_url" in outputs}
    rows = [[*_there(client, each), *_does(found, each["metadata"]["name"])] for each in services]
    return [["model", "version", "replicas", *found], *rows]


def _there(client: Client, service: Object) -> list[str]:
    name = service["metadata"]["name"]
    variables = service["spec"]["predictor"].get("model", {}).get("env") or []
    version = next((str(each.get("value")) for each in variables if each["name"] == VERSION), "")
    return [name, version, str(ready(client, name))]


def ready(client: Client, name: str) -> int:
    """How many replicas of an InferenceService are ready."""
    pods = client.list("v1", "Pod", NAMESPACE, labels=f"{SERVICE}={name},component=predictor")
    conditions = [pod.get("status", {}).get("conditions") or [] for pod in pods]
    return sum(("Ready", "True") in {(one["type"], one["status"]) for one in each} for each in conditions)


def _does(found: Mapping[str, Mapping[str, float]], service: str) -> list[str]:
    return [f"{values[service]:.3g}" if service in values else UNKNOWN for values in found.values()]


def _by_service(outputs: Mapping[str, Any], query: str) -> dict[str, float]:
    """The value of each service; none where the metrics don't answer."""
    place = urlsplit(str(outputs["dashboards_url"]))
    try:
        answer = send("GET", f"{place.scheme}://{place.netloc}/api/v1/query?query={quote(query)}")
    except LocalError:
        return {}
    if answer.status != http.client.OK:
        return {}
    values = {each["metric"].get("service", ""): float(each["value"][1]) for each in answer.body["data"]["result"]}
    return {name: value for name, value in values.items() if value == value}
