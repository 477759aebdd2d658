"""Runs a pipeline on Kubeflow Pipelines, by its API (v2beta1): started once, found again by its name, waited for.

A run there has the name of the run here. So a try that was cut off goes on with what the one before it has started, and
a request of which no answer came starts nothing twice. A run that has failed before is no reason not to start another.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from ml_runtime.errors import RunError
from ml_runtime.patience import patiently
from ml_runtime.pipeline_package import Package

RUNS = "/apis/v2beta1/runs"
GOOD, BAD = ("SUCCEEDED", "SKIPPED"), ("FAILED", "CANCELED")
"""The states in which a run has ended."""
SECONDS = 30
LONGEST = 1000
"""Characters of an answer that are said."""

Found = Mapping[str, Any]
"""A run as the API shows it."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """Kubeflow Pipelines at an address."""

    url: str
    patience: float
    pause: float = 5.0
    """Seconds between two looks at a run."""

    def run(self, name: str, body: Mapping[str, Any]) -> str:
        """The id of the run of that name, when it has succeeded: one that is there, or a new one with this body.

        Raises:
            RunError: it has failed, or the API refuses it.
            AwayError: the API was away for too long.
        """
        found = self._patiently(lambda: self._begun(name, body))
        print(f"run {name} on Kubeflow Pipelines: {found['run_id']}", flush=True)
        place = f"{RUNS}/{quote(found['run_id'])}"
        while (state := found.get("state")) not in (*GOOD, *BAD):
            time.sleep(self.pause)
            found = self._patiently(lambda: self._ask("GET", place))
        if state in BAD:
            raise RunError(_said(found))
        return str(found["run_id"])

    def _begun(self, name: str, body: Mapping[str, Any]) -> Found:
        named = {"predicates": [{"operation": "EQUALS", "key": "name", "stringValue": name}]}
        query = urlencode({"filter": json.dumps(named), "sort_by": "created_at desc", "page_size": 1})
        for found in self._ask("GET", f"{RUNS}?{query}").get("runs", []):
            if found.get("state") not in BAD:
                return dict(found)
        return self._ask("POST", RUNS, {"display_name": name, **body})

    def _patiently(self, action: Callable[[], Found]) -> Found:
        return patiently("Kubeflow Pipelines", self.patience, action)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.url}{path}", content, headers, method=method)  # noqa: S310 - as the settings say
        try:
            with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return dict(json.loads(answer.read()))
        except HTTPError as refused:
            if refused.code >= 500 or refused.code == 429:
                raise
            said = refused.read().decode(errors="replace")[:LONGEST]
            place = path.partition("?")[0]
            raise RunError(f"Kubeflow Pipelines refuses {method} {place}: {refused.code} {said}") from None


def body(package: Package, arguments: Mapping[str, Any], root: str) -> Found:
    """What starts a run of a package, of which nothing is taken from a cache."""
    spec: Mapping[str, Any] = _uncached(package.content)
    whole = {"pipeline_spec": spec, "platform_spec": package.platforms[0]} if package.platforms else spec
    return {"pipeline_spec": whole, "runtime_config": {"parameters": dict(arguments), "pipeline_root": root}}


def _uncached(item: Any) -> Any:
    if isinstance(item, list):
        return [_uncached(each) for each in item]
    if isinstance(item, dict):
        return {key: {} if key == "cachingOptions" else _uncached(value) for key, value in item.items()}
    return item


def _said(found: Found) -> str:
    """The stages that failed, each with its reason; or that of the run."""
    tasks = found.get("run_details", {}).get("task_details", [])
    stages = [
        f"stage {each['display_name']} failed: {each.get('error', {}).get('message', 'its log has the reason')}"
        for each in tasks
        if each.get("state") == "FAILED" and not each.get("child_tasks")
    ]
    reason = found.get("error", {}).get("message") or f"it is {found['state']}"
    return "\n".join(stages) or f"the pipeline failed: {reason}"
