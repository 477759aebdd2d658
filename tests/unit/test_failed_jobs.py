"""Jobs that failed: those that the engine waits for are made again by the next update, runs by their outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_provider import state
from kubernetes_provider.messages import Messages
from kubernetes_provider.objects import Objects
from kubernetes_provider.session import Session
from kubernetes_provider.settings import Settings
from ml_platform import pods
from ml_platform.kube import Connection
from support import recorder, stacks
from support.api_server import Server, kubeconfig, serving

pytestmark = pytest.mark.unit

AGAIN, SKIPPED = "pulumi.com/replaceUnready", "pulumi.com/skipAwait"
TOKEN = "kubernetes:batch/v1:Job"
JOBS = {"resources": [{"name": "jobs", "kind": "Job", "namespaced": True}]}


def test_every_job_of_a_stack_is_one_or_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    found = stacks.record("local").requests.values()
    jobs = [recorder.inputs(each)["metadata"] for each in found if each.type == TOKEN]
    marked = {
        mark: {each["name"].rpartition("-")[0] for each in jobs if each.get("annotations") == {mark: "true"}}
        for mark in (AGAIN, SKIPPED)
    }
    assert marked == {AGAIN: {"mlflow-schema", "s3-buckets"}, SKIPPED: {"iris", "iris-gate", "iris-champion"}}
    assert len(jobs) == 5


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        server.on("GET", "/apis/batch/v1", JOBS)
        yield server


def conditions(kind: str | None) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": "True"}] if kind else []}


@pytest.mark.parametrize(
    ("awaited", "status", "again"),
    [
        (True, conditions("Failed"), True),
        (True, conditions(None), True),  # cut short: its wait was never over
        (True, conditions("Complete"), False),
        (True, None, False),  # gone, which a refresh finds
        (False, conditions("Failed"), False),
    ],
    ids=["failed", "running", "complete", "gone", "of a run"],
)
def test_the_stand_in_replaces_what_the_next_update_is_to_make_again(
    server: Server, awaited: bool, status: dict[str, Any] | None, again: bool
) -> None:
    job = pods.job("load", "models", {}, {"containers": [{"name": "load"}]}, run="1", awaited=awaited)
    live = {**job, "metadata": {**job["metadata"], "uid": "1"}}
    if status is not None:
        server.on("GET", "/apis/batch/v1/namespaces/models/jobs/load-1", {**live, "status": status})
    known = state.checkpoint(job, live, job, "batch/v1", "a manager")
    session = Session(Settings(connection=Connection.from_kubeconfig(kubeconfig(server.url))), Messages(""))
    found = Objects(session).diff(TOKEN, known, job, job, [])
    assert (found.changes, bool(found.replaces), found.delete_first) == ([], again, again)


def test_the_stand_in_leaves_a_job_alone_that_it_can_not_ask_for(server: Server) -> None:
    job = pods.job("load", "models", {}, {"containers": [{"name": "load"}]}, run="1")
    known = state.checkpoint(job, job, job, "batch/v1", "a manager")
    server.outage = [500] * 100
    session = Session(Settings(connection=Connection.from_kubeconfig(kubeconfig(server.url))), Messages(""))
    assert not Objects(session).diff(TOKEN, known, job, job, []).replaces
