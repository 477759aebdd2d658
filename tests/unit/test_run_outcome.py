"""The outcome of a run, asked of an API of dicts: accepted, refused, failed, stuck, run again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ml_platform.kube import KubeconfigError, KubeError, Unreachable
from ml_workloads import run_outcome
from ml_workloads.run_outcome import RunFailedError
from support import waiting
from support.cluster import FakeClient
from support.run_objects import NAMESPACE, RUN, job, pod, verdict

PROPS = {
    "kubeconfig": "{}", "namespace": NAMESPACE, "run": RUN, "timeout": 900, "leaves": "champion", "kind": "job",
    "manifest": json.dumps({"apiVersion": "batch/v1", "kind": "Job", "spec": {"declared": "now"},
                            "metadata": {"name": RUN, "namespace": NAMESPACE}}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.clock(monkeypatch)


def ask(monkeypatch: pytest.MonkeyPatch, client: FakeClient, **changes: Any) -> dict[str, Any]:
    monkeypatch.setattr(run_outcome.Client, "from_kubeconfig", lambda *_, **__: client)
    return run_outcome._Provider().create({**PROPS, **changes}).outs or {}


def test_an_accepted_model_is_the_version_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = ask(monkeypatch, FakeClient(job("Complete"), verdict(champion="3", version="3")))
    assert (outcome["outputs"]["champion"], outcome["accepted"]) == ("3", True)


def test_a_refused_model_leaves_the_earlier_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = ask(monkeypatch, FakeClient(job("Complete"), verdict(accepted=False, champion="2")))
    assert (outcome["outputs"], outcome["accepted"], outcome["rule"]) == ({"champion": "2"}, False, "threshold")


def test_a_refused_first_model_is_an_error_with_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunFailedError, match=r"accuracy 0\.9, threshold 0\.95") as failed:
        ask(monkeypatch, FakeClient(job("Complete"), verdict(accepted=False)))
    assert "no earlier champion" in str(failed.value)
    assert "ml-platform:workloads" in str(failed.value)


def test_a_run_that_is_no_gate_leaves_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(job("Complete"), verdict(model="a1b2"))
    assert ask(monkeypatch, client, leaves="model")["outputs"] == {"model": "a1b2"}


def test_a_run_that_leaves_no_candidate_failed_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(job("Complete"), verdict(accepted=False))
    with pytest.raises(RunFailedError, match=r"iris-0a1b2c3d in namespace models failed: accuracy 0\.9 is below"):
        ask(monkeypatch, client, leaves="model")


def test_it_waits_until_the_run_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(job(), verdict(champion="3"))
    asked: list[str] = []

    def complete(client: FakeClient, key: tuple[str, str, str]) -> None:
        asked.append(key[0])
        if len(asked) == 10:
            client.put(job("Complete"))

    client.on_get = complete
    assert ask(monkeypatch, client)["outputs"] == {"champion": "3"}
    assert len(asked) == 11


def test_a_run_that_fails_shows_its_last_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    client = FakeClient(job(), pod(), logs={f"{RUN}-x": log})
    asked: list[str] = []

    def fail_later(client: FakeClient, key: tuple[str, str, str]) -> None:
        asked.append(key[0])
        if len(asked) == 2:
            client.put(job("Failed", "reached its backoff limit"))

    client.on_get = fail_later
    with pytest.raises(RunFailedError, match="reached its backoff limit") as failed:
        ask(monkeypatch, client)
    assert "line 99" in str(failed.value)
    assert "line 10\n" not in str(failed.value)


def test_a_run_that_had_failed_before_is_run_again_as_it_is_declared_now(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(job("Failed"), verdict(champion="3"))
    started: list[dict[str, Any]] = []

    def complete(client: FakeClient, key: tuple[str, str, str]) -> None:
        found = client.objects.get(key)
        if found and "status" not in found and key[0] == "Job":
            started.append(found)
            client.put(job("Complete"))

    client.on_get = complete
    assert ask(monkeypatch, client)["outputs"] == {"champion": "3"}
    assert started[0]["spec"] == {"declared": "now"}


def test_a_pod_that_can_not_start_is_named_long_before_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(job(), pod({"reason": "ImagePullBackOff", "message": "no such image"}))
    with pytest.raises(RunFailedError, match="can't start: ImagePullBackOff: no such image"):
        ask(monkeypatch, client)
    assert run_outcome.time.monotonic() < 100


ABOUT = {"metadata": {"name": f"{RUN}.1", "namespace": NAMESPACE}, "involvedObject": {"name": RUN}}
OVER = {"kind": "Event", **ABOUT, "reason": "FailedCreate", "message": "exceeded quota: workloads"}


def other(policy: str, phase: str = "Running") -> dict[str, Any]:
    """A pod of somebody else's in the namespace."""
    metadata = {"name": "other", "namespace": NAMESPACE, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"kind": "Pod", "metadata": metadata, "spec": {"restartPolicy": policy}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    "objects", [[], [other("Always")], [other("Never", "Succeeded")]], ids=["none", "server", "over"]
)
def test_a_run_for_which_the_quota_has_no_room_is_named_long_before_the_timeout(
    objects: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunFailedError, match="can't start: exceeded quota: workloads"):
        ask(monkeypatch, FakeClient(job(), OVER, *objects))
    assert run_outcome.time.monotonic() < 100


def test_a_quota_that_other_runs_use_up_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunFailedError, match="has not ended after 900 s; it has no pod: exceeded quota: workloads"):
        ask(monkeypatch, FakeClient(job(), OVER, other("Never")))


def test_a_pod_that_no_node_takes_is_named_at_the_end_with_what_the_scheduler_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient memory"}
    waiting = {**pod(), "status": {"conditions": [said]}}
    with pytest.raises(RunFailedError, match=r"900 s; no node takes its pod: 0/1 nodes .* Insufficient memory"):
        ask(monkeypatch, FakeClient(job(), waiting))


def test_a_run_that_somebody_deleted_is_said_with_the_command_that_runs_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RunFailedError, match=r"iris-0a1b2c3d in namespace models is not there.*`pulumi up --refresh`"):
        ask(monkeypatch, FakeClient())


def test_a_run_begun_again_by_a_request_that_nobody_answered_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unanswered(FakeClient):
        heard = False

        def create(self, item: dict[str, Any], *, field_manager: str) -> dict[str, Any]:
            made = super().create(item, field_manager=field_manager)
            if not self.heard:
                self.heard = True
                done = job("Complete")
                self.put({**done, "metadata": {**done["metadata"], "uid": "2"}})
                raise KubeError(504, "Timeout", "no answer in time")
            return made

    client = Unanswered(job("Failed"), verdict(champion="3"))
    assert ask(monkeypatch, client)["outputs"] == {"champion": "3"}
    assert client.heard


def test_a_run_that_never_ends_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunFailedError, match="not ended after 900 s"):
        ask(monkeypatch, FakeClient(job()))


def test_a_run_without_a_verdict_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = {"kind": "ConfigMap", "metadata": {"name": RUN, "namespace": NAMESPACE}}
    with pytest.raises(RunFailedError, match="left no verdict"):
        ask(monkeypatch, FakeClient(job("Complete"), empty))


@pytest.mark.parametrize(
    ("key", "changes"), [("run", True), ("namespace", True), ("kubeconfig", False), ("timeout", False)]
)
def test_only_another_run_is_asked_for_again(key: str, changes: bool) -> None:
    news = {**PROPS, key: "other"}
    assert run_outcome._Provider().diff("", PROPS, news).changes is changes


LOOK = {**PROPS, "leaves": "sha256"}


def preview(monkeypatch: pytest.MonkeyPatch, client: Any, olds: dict[str, Any], **news: Any) -> bool | None:
    """Whether the next update has something to do about a run that left `olds`."""
    monkeypatch.setattr(run_outcome.Client, "from_kubeconfig", client if callable(client) else lambda *_, **__: client)
    return run_outcome._Provider().diff("models/data-iris", {**LOOK, **olds}, {**LOOK, **news}).changes


@pytest.mark.parametrize(
    ("found", "changes"),
    [
        ([verdict(sha256="aa")], False),
        ([verdict(sha256="bb")], True),
        ([verdict(accepted=False)], True),
        ([], False),
        ([{"kind": "ConfigMap", "metadata": {"name": RUN, "namespace": NAMESPACE}}], False),
    ],
    ids=["the same bytes", "other bytes", "bytes that can't be read", "no verdict", "an empty verdict"],
)
def test_a_look_that_was_made_again_is_found_by_the_next_preview(
    found: list[dict[str, Any]], changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {"outputs": {"sha256": "aa"}}
    assert preview(monkeypatch, FakeClient(*found), left) is changes
    assert preview(monkeypatch, FakeClient(*found), {**left, "leaves": "champion"}) is False


def test_what_the_clock_has_run_again_is_found_by_the_next_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    left, again = {"outputs": {"model": "a1"}, "leaves": "model"}, FakeClient(verdict(model="b2"))
    assert preview(monkeypatch, again, left, repeats=True) is True
    assert preview(monkeypatch, FakeClient(verdict(model="a1")), left, repeats=True) is False
    assert preview(monkeypatch, again, left) is False


def test_the_outcome_of_a_look_is_then_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(job("Complete"), verdict(sha256="bb"))
    monkeypatch.setattr(run_outcome.Client, "from_kubeconfig", lambda *_, **__: client)
    updated = run_outcome._Provider().update("", {**LOOK, "outputs": {"sha256": "aa"}}, LOOK).outs or {}
    assert updated["outputs"] == {"sha256": "bb"}


@pytest.mark.parametrize(
    "error",
    [Unreachable("no route to host"), KubeError(503, "ServiceUnavailable", "not now"), KubeconfigError("no cluster")],
    ids=["away", "not now", "not known yet"],
)
def test_where_the_cluster_does_not_answer_a_preview_goes_on_as_if_nothing_had_changed(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    assert preview(monkeypatch, refuse, {"outputs": {"sha256": "aa"}}) is False


@pytest.mark.parametrize(
    ("logs", "words"),
    [
        ({f"{RUN}-x/train": "no package 'x'"}, r"The last lines of train in pod iris-0a1b2c3d-x:\nno package 'x'"),
        ({}, "its message"),
    ],
    ids=["its log", "its message, where the log is gone"],
)
def test_a_program_that_fails_before_the_main_container_is_named_with_its_last_lines(
    logs: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = {"name": "train", "state": {"terminated": {"exitCode": 1, "reason": "Error", "message": "its message"}}}
    failed = {**pod(), "status": {"initContainerStatuses": [ended]}}
    client = FakeClient(job(), failed, logs=logs)
    client.on_get = lambda client, _: client.put(job("Failed", "Job has failed"))
    with pytest.raises(
        RunFailedError, match=rf"failed: its container train ended with code 1; Job has failed\n{words}$"
    ):
        ask(monkeypatch, client)
