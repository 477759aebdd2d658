"""The outcome of a run, as a resource: the data or the candidate that it left, or the champion after its judgement.

It waits until the run has failed or succeeded, and reads the verdict that the run wrote: an operator alone may call a
run a success that was none. A run that failed in an earlier update is started again by the next one. A verdict that
was written anew since, as a look at data does, is found by the next preview.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform.asking import ClusterError, asked
from ml_platform.kube import AlreadyExists, Client, KubeError, NotFound, Object
from pulumi import dynamic

from ml_workloads import run_pods
from ml_workloads.awaited import Awaited, AwaitedProvider, last_lines
from ml_workloads.newest import NO_QUOTA
from ml_workloads.run_kinds import KINDS, RunKind, RunKindName

FIELD_MANAGER = "ml-platform"
VERDICT = "verdict.json"
DIGEST = "sha256"
"""The output of a look at data: that of their bytes, which may be others since."""
READ = ("outputs", "accepted", "rule", "reason", "numbers")
"""What is read of a verdict."""
POLL = 0.5
STUCK_FOR = 60.0  # a registry may be away for a moment


class RunFailedError(Exception):
    """The run ended without a model that can be served; the message has its reason and last log lines."""


class RunOutcome(Awaited, module="workloads", name="RunOutcome"):
    """The outcome of the run whose object, a Job if not another kind, and verdict have the name `run`."""

    outputs: pulumi.Output[dict[str, str]]
    """What it has left, by name; unknown in the preview of a new run."""
    accepted: pulumi.Output[bool]
    rule: pulumi.Output[str]
    """Which one decided, and why, and by which numbers."""
    reason: pulumi.Output[str]
    numbers: pulumi.Output[dict[str, float]]

    def __init__(
        self,
        name: str,
        *,
        kubeconfig: pulumi.Input[str],
        namespace: str,
        run: pulumi.Input[str],
        manifest: Mapping[str, Any],
        timeout: int,
        leaves: str,
        kind: RunKindName = "job",
        repeats: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        # As a text: numbers in a dynamic resource's inputs become fractions on their way through the engine.
        where = {"namespace": namespace, "run": run, "kind": kind, "manifest": pulumi.Output.json_dumps(manifest)}
        inputs = {**where, "timeout": timeout, "leaves": leaves, **({"repeats": True} if repeats else {})}
        super().__init__(_Provider(), name, kubeconfig, inputs, READ, opts)

    def output(self, name: str) -> pulumi.Output[str]:
        """One of the outputs."""
        return self.outputs.apply(lambda found: str(found[name]))


class _Provider(AwaitedProvider):
    identity = ("namespace", "run")

    def wait(self, client: Client, props: Mapping[str, Any]) -> dict[str, Any]:
        run = _Run(client, props["namespace"], props["run"], KINDS[props["kind"]], json.loads(props["manifest"]))
        run.wait(float(props["timeout"]))
        verdict, leaves = run.verdict(), props["leaves"]
        if leaves not in verdict["outputs"]:
            raise RunFailedError(run.refusal(verdict) if leaves == "champion" else run.complaint(verdict["reason"]))
        return {key: verdict[key] for key in READ}

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        found = super().diff(id_, olds, news)
        if found.changes or not (olds["leaves"] == DIGEST or news.get("repeats")):
            return found
        with suppress(ClusterError), asked(news["kubeconfig"], f"a look at {id_}", patience=0) as client:
            verdict = _Run(client, news["namespace"], news["run"], KINDS[news["kind"]], {}).found_verdict()
            return dynamic.DiffResult(changes=verdict is not None and verdict["outputs"] != olds["outputs"])
        return found


@dataclass(frozen=True)
class _Run:
    """A run on the cluster."""

    client: Client
    namespace: str
    name: str
    kind: RunKind
    manifest: Mapping[str, Any]
    """The object as it is declared now: that of an earlier update may have another image."""

    def wait(self, timeout: float) -> None:
        """Returns when the run has succeeded.

        Raises:
            RunFailedError: it failed, or can't even start.
        """
        run = self._get()
        if (end := self.kind.end(run)) and end.failure is not None:
            run = self._again(run)
        limit, stuck_since = time.monotonic() + timeout + STUCK_FOR, None
        while not (end := self.kind.end(run)):
            now, reason = time.monotonic(), self._stuck()
            stuck_since = (stuck_since or now) if reason else None
            if reason and stuck_since and now - stuck_since > STUCK_FOR:
                raise RunFailedError(self.complaint(f"its pod can't start: {reason}"))
            if now > limit:
                raise RunFailedError(self.complaint(f"it has not ended after {timeout:.0f} s{self._unplaced()}"))
            time.sleep(POLL)
            run = self._get()
        if end.failure is not None:
            raise RunFailedError(self.complaint(self._own_words() or self._why(end.failure)))

    def verdict(self) -> dict[str, Any]:
        """What the run left to be read.

        Raises:
            RunFailedError: it left nothing.
        """
        if (verdict := self.found_verdict()) is None:
            text = f"it succeeded, but left no {VERDICT} in ConfigMap {self.namespace}/{self.name}"
            raise RunFailedError(self.complaint(text))
        return verdict

    def refusal(self, verdict: Mapping[str, Any]) -> str:
        """Of a gate that leaves nothing to serve."""
        return (
            f"The candidate of {self.name} was refused by its gate and there is no earlier champion to serve. By the "
            f"rule {verdict['rule']}: {verdict['reason']} ({shown(verdict['numbers'])}).\n"
            f"Change its parameters or its gate in ml-platform:workloads and run `pulumi up` again."
        )

    def complaint(self, reason: str) -> str:
        pods = self._pods()
        failed = run_pods.failure(pods)
        said = last_lines(self.client, self.namespace, reversed(pods), *([failed.container] if failed else []))
        kind = self.kind.kind.lower()
        absent = (
            f"None of its {len(pods)} pods left a log; see `kubectl -n {self.namespace} describe {kind} {self.name}`."
        )
        words = said or (failed.last_words if failed else "") or absent
        return f"Run {self.name} in namespace {self.namespace} failed: {reason}\n{words}"

    def found_verdict(self) -> dict[str, Any] | None:
        """The verdict, if there is one yet."""
        found = self.client.find("v1", "ConfigMap", self.name, self.namespace) or {}
        data = found.get("data") or {}
        return json.loads(data[VERDICT]) if VERDICT in data else None

    def _why(self, failure: str) -> str:
        """Why it failed, by its pods if they are still there, and by its object."""
        found = run_pods.failure(self._pods())
        return f"{found}; {failure}" if found else failure

    def _own_words(self) -> str | None:
        """Why a failed run failed, if it could still say so: not every operator leaves the pod and its log."""
        verdict = self.found_verdict()
        return verdict["reason"] if verdict and not verdict["accepted"] else None

    def _get(self) -> Object:
        try:
            return self.client.get(self.kind.api_version, self.kind.kind, self.name, self.namespace)
        except NotFound as gone:
            raise RunFailedError(
                f"Run {self.name} in namespace {self.namespace} is not there: somebody has deleted its "
                f"{self.kind.kind}. `pulumi up --refresh` runs it again."
            ) from gone

    def _again(self, run: Object) -> Object:
        """The same run anew: what made it fail may have gone, and its name says that it does the same."""
        meta = run["metadata"]
        self.client.delete(self.kind.api_version, self.kind.kind, self.name, self.namespace, uid=meta["uid"])
        end = time.monotonic() + 60
        while self._pods() and time.monotonic() < end:  # a driver's has the name of the next one
            time.sleep(POLL)
        while True:
            try:
                return self.client.create(dict(self.manifest), field_manager=FIELD_MANAGER)
            except AlreadyExists:  # the old one is still going, or a create of which no answer came has made this one
                found = self.client.find(self.kind.api_version, self.kind.kind, self.name, self.namespace)
                if found and found["metadata"]["uid"] != meta["uid"]:
                    return found
                if time.monotonic() > end:
                    raise
            except KubeError as away:
                if not away.passes or time.monotonic() > end:
                    raise
            time.sleep(POLL)

    def _pods(self) -> list[Object]:
        found = self.client.list("v1", "Pod", self.namespace, labels=self.kind.pods.format(self.name))
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def _stuck(self) -> str | None:
        """Why none of its pods can start, if that is so."""
        if found := self._pods():
            return run_pods.stuck(found) or run_pods.without_claim(found)
        refused = self._warning("FailedCreate")
        return None if refused and NO_QUOTA in refused and self._others_end() else refused

    def _others_end(self) -> bool:
        """Whether pods of other runs are at work, which give back what they have of the quota."""
        pods = self.client.list("v1", "Pod", self.namespace)
        active = (each for each in pods if each.get("status", {}).get("phase") in ("Pending", "Running"))
        return any(each["spec"].get("restartPolicy") == "Never" for each in active)

    def _unplaced(self) -> str:
        said = run_pods.unplaced(self._pods())
        if said is not None:
            return f"; no node takes its pod: {said}"
        refused = None if self._pods() else self._warning("FailedCreate")
        return f"; it has no pod: {refused}" if refused else ""

    def _warning(self, reason: str) -> str | None:
        """What the last event of that reason about the run says: that a quota is used up, for example."""
        events = self.client.list("v1", "Event", self.namespace, fields=f"involvedObject.name={self.name}")
        return next((str(each.get("message")) for each in reversed(events) if each.get("reason") == reason), None)


def shown(numbers: Mapping[str, float]) -> str:
    """What a gate looked at, in one line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(numbers.items()))
