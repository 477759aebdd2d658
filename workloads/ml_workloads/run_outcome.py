"""What became of a run, as a resource: the version that is champion after it.

It waits until the run's Job has failed or succeeded, and reads the verdict that the run wrote. A run that failed in an
earlier update is started again by the next one.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.kube import AlreadyExists, Client, NotFound, Object

from ml_workloads.awaited import Awaited, AwaitedProvider, last_lines

FIELD_MANAGER = "ml-platform"
VERDICT = "verdict.json"
POLL = 0.5
STUCK = frozenset({"CreateContainerConfigError", "ErrImagePull", "ImagePullBackOff", "InvalidImageName"})
STUCK_FOR = 60.0  # a registry may be away for a moment


class RunFailedError(Exception):
    """The run ended without a model that can be served; the message has its reason and last log lines."""


class RunOutcome(Awaited, module="workloads", name="RunOutcome"):
    """The outcome of the run whose Job and verdict have the name `run`."""

    version: pulumi.Output[str]
    """Of the model that is champion after the verdict; unknown in the preview of a new run."""
    accepted: pulumi.Output[bool]
    reason: pulumi.Output[str]
    """Which rule decided, and by which numbers."""
    numbers: pulumi.Output[dict[str, float]]

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        namespace: str,
        run: str,
        timeout: int,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"namespace": namespace, "run": run, "timeout": timeout}
        outputs = ("version", "accepted", "rule", "reason", "numbers")
        super().__init__(_Provider(), name, kubeconfig, inputs, outputs, opts)


class _Provider(AwaitedProvider):
    identity = ("namespace", "run")

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        namespace, run = props["namespace"], props["run"]
        _wait(client, namespace, run, float(props["timeout"]))
        verdict = read_verdict(client, namespace, run)
        if verdict["champion"] is None:
            raise RunFailedError(
                f"Run {run} was refused by its gate and there is no earlier champion to serve: {verdict['reason']} "
                f"({shown(verdict['numbers'])}).\n"
                f"Change its parameters or its gate in ml-platform:workloads and run `pulumi up` again."
            )
        kept = {key: verdict[key] for key in ("accepted", "rule", "reason", "numbers")}
        return {"version": verdict["champion"], **kept}


def _wait(client: Client, namespace: str, run: str, timeout: float) -> None:
    """Returns when the run's Job has succeeded.

    Raises:
        RunFailedError: it failed, or can't even start.
    """
    job = client.get("batch/v1", "Job", run, namespace)
    if _condition(job, "Failed"):
        job = _again(client, job)
    end, stuck_since = time.monotonic() + timeout + STUCK_FOR, None
    while not _condition(job, "Complete"):
        if failure := _condition(job, "Failed"):
            raise RunFailedError(
                _complaint(client, namespace, run, failure.get("message") or failure.get("reason", ""))
            )
        now, reason = time.monotonic(), _stuck(client, namespace, run)
        stuck_since = (stuck_since or now) if reason else None
        if reason and stuck_since and now - stuck_since > STUCK_FOR:
            raise RunFailedError(_complaint(client, namespace, run, f"its pod can't start: {reason}"))
        if now > end:
            raise RunFailedError(_complaint(client, namespace, run, f"it has not ended after {timeout:.0f} s"))
        time.sleep(POLL)
        job = client.get("batch/v1", "Job", run, namespace)


def _again(client: Client, job: Object) -> Object:
    """The same Job anew: what made it fail may have gone, and its name says that it does the same."""
    meta, spec = job["metadata"], dict(job["spec"])
    spec.pop("selector", None)
    template = {**spec["template"], "metadata": {"labels": {"app": meta["labels"]["app"]}}}
    fresh = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {key: meta[key] for key in ("name", "namespace", "labels", "annotations") if key in meta},
        "spec": {**spec, "template": template},
    }
    client.delete("batch/v1", "Job", meta["name"], meta["namespace"], uid=meta["uid"])
    end = time.monotonic() + 60
    while True:
        try:
            return client.create(fresh, field_manager=FIELD_MANAGER)
        except AlreadyExists:  # the old one is still going
            if time.monotonic() > end:
                raise
            time.sleep(POLL)


def read_verdict(client: Client, namespace: str, run: str) -> dict[str, Any]:
    """The verdict that a run left.

    Raises:
        RunFailedError: it left none.
    """
    try:
        data = client.get("v1", "ConfigMap", run, namespace).get("data") or {}
        verdict: dict[str, Any] = json.loads(data[VERDICT])
    except (NotFound, KeyError) as absent:
        text = f"it succeeded, but left no {VERDICT} in ConfigMap {namespace}/{run}"
        raise RunFailedError(_complaint(client, namespace, run, text)) from absent
    return verdict


def shown(numbers: Mapping[str, float]) -> str:
    """What a gate looked at, in one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(numbers.items()))


def _condition(job: Object, kind: str) -> Object | None:
    conditions: list[Object] = job.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind and each["status"] == "True"), None)


def _pods(client: Client, namespace: str, run: str) -> list[Object]:
    found = client.list("v1", "Pod", namespace, labels=f"batch.kubernetes.io/job-name={run}")
    return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def _stuck(client: Client, namespace: str, run: str) -> str | None:
    for pod in _pods(client, namespace, run):
        for status in pod.get("status", {}).get("containerStatuses") or []:
            waiting = status.get("state", {}).get("waiting") or {}
            if waiting.get("reason") in STUCK:
                return f"{waiting['reason']}: {waiting.get('message', '')}"
    return None


def _complaint(client: Client, namespace: str, run: str, reason: str) -> str:
    pods = _pods(client, namespace, run)
    said = last_lines(client, namespace, reversed(pods))
    absent = f"None of its {len(pods)} pods left a log; see `kubectl -n {namespace} describe job {run}`."
    return f"Run {run} in namespace {namespace} failed: {reason}\n{said or absent}"
