"""What pods of a run say of themselves: why they can't start, and which container failed how."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads import run_pods


def pod(*before: dict[str, Any], main: dict[str, Any] | None = None) -> dict[str, Any]:
    names = ("rows", "train")
    first = [{"name": name, "state": state} for name, state in zip(names, before, strict=False)]
    return {"status": {"initContainerStatuses": first, "containerStatuses": [{"name": "finish", "state": main or {}}]}}


def ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        ([pod(ended(0), ended(1))], "its container train ended with code 1"),
        ([pod(ended(0), ended(137, "OOMKilled"))], "its container train ended with code 137 (OOMKilled)"),
        ([pod(ended(0), ended(0), main=ended(3))], "its container finish ended with code 3"),
        ([pod(ended(1)), pod(ended(0), ended(2))], "its container train ended with code 2"),
        ([pod(ended(1)), pod()], "its container rows ended with code 1"),
        (
            [pod(ended(0), ended(128, "StartError", '"Rscript": executable file not found in $PATH'))],
            'its pod can\'t start: StartError: "Rscript": executable file not found in $PATH',
        ),
    ],
)
def test_the_container_that_failed_is_named_with_its_code(pods: list[dict[str, Any]], words: str) -> None:
    assert str(run_pods.failure(pods)) == words


@pytest.mark.parametrize("pods", [[], [{}], [pod()], [pod(ended(0), {"running": {}})]])
def test_where_none_has_failed_nothing_is_said(pods: list[dict[str, Any]]) -> None:
    assert run_pods.failure(pods) is None
    assert run_pods.stuck(pods) is None


@pytest.mark.parametrize("reason", ["CreateContainerError", "ImagePullBackOff"])
def test_a_container_that_can_not_start_is_said_whichever_it_is(reason: str) -> None:
    waiting = {"waiting": {"reason": reason, "message": "no command specified"}}
    assert run_pods.stuck([pod(ended(0), waiting)]) == f"{reason}: no command specified"


def test_what_a_program_has_left_as_its_message_is_no_more_than_why_it_could_not_begin() -> None:
    begun, never = (
        run_pods.failure([pod(ended(0), each)]) for each in (ended(1, "Error", "x\n"), ended(128, "StartError", "y"))
    )
    assert begun
    assert never
    assert (begun.last_words, never.last_words) == ("x", "")


def test_a_claim_that_is_not_there_is_said_with_how_it_is_made() -> None:
    said = 'no nodes are available: persistentvolumeclaim "shelf" not found. preemption: 0/1 nodes are available'
    waits = {"type": "PodScheduled", "status": "False", "message": said}
    words = run_pods.without_claim([{"status": {"conditions": [waits]}}])
    assert words
    assert words.startswith("there is no PersistentVolumeClaim 'shelf' in its namespace. ")
    assert "pulumi config set --path 'ml-platform:workloads.claims.shelf.size' 1Gi" in words
    assert run_pods.without_claim([{"status": {"conditions": [{**waits, "message": "Insufficient cpu"}]}}]) is None
