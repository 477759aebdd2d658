"""When a gate opens, and what it says when it does not."""

from typing import Any

import pytest
from ml_platform.bundles import gates
from ml_platform.bundles.errors import BundleError
from ml_platform.kube import Client, KubeError

pytestmark = pytest.mark.unit

PROBE = {"webhook": "hook.example", "pods": "app=hook", "manifest": {"kind": "Thing"}}
REFUSED = KubeError(400, "Invalid", 'admission webhook "hook.example" denied the request: no')
AWAY = KubeError(500, "InternalError", 'failed calling webhook "hook.example": connection refused')
OTHER = KubeError(400, "Invalid", 'admission webhook "another.example" denied the request: no')


class Cluster:
    """Answers each create with the next of `answers`; the last one for ever."""

    def __init__(self, *answers: KubeError | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    def create(self, _obj: object, *, field_manager: str, dry_run: bool) -> None:
        assert dry_run, "a probe must never be stored"
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer:
            raise answer

    def list(self, _version: str, kind: str, _namespace: str, **_selectors: object) -> list[Any]:
        if kind == "Event":
            return [{"reason": "BackOff", "message": "restarting", "lastTimestamp": "2026-01-01T00:00:00Z"}]
        state = {"waiting": {"reason": "CrashLoopBackOff"}}
        status = {"phase": "Running", "containerStatuses": [{"name": "main", "state": state, "restartCount": 3}]}
        return [{"metadata": {"name": "hook-1"}, "status": status}]

    def logs(self, *_: object, previous: bool, **__: object) -> str:
        return "last words" if previous else "a container that waits has none"

    last_words = Client.last_words


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates.time, "sleep", lambda _: None)


def open_gate(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    monkeypatch.setattr(gates.Client, "from_kubeconfig", lambda *_, **__: cluster)
    gates._Provider().act(
        {"kubeconfig": "", "bundle": "home", "namespace": "home", "probes": [PROBE], "definitions": []}
    )


@pytest.mark.parametrize("first", [AWAY, OTHER, None])
def test_it_waits_for_the_refusal_of_that_webhook(monkeypatch: pytest.MonkeyPatch, first: KubeError | None) -> None:
    cluster = Cluster(first, REFUSED)
    open_gate(monkeypatch, cluster)
    assert cluster.asked == 2, "neither an error nor an accepted object proves that the webhook answers"


def test_it_gives_up_with_the_answer_and_the_last_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "DEADLINE", 0.0)
    with pytest.raises(BundleError) as refused:
        open_gate(monkeypatch, Cluster(AWAY))
    said = str(refused.value)
    for part in (
        "hook.example of bundle home", "connection refused", "Pod hook-1 is Running",
        "container main: waiting CrashLoopBackOff, 3 restarts", "last words", "BackOff: restarting",
    ):  # fmt: skip
        assert part in said


def test_it_is_passed_again_when_what_it_guards_changes() -> None:
    provider, olds = gates._Provider(), {"trigger": "1", "kubeconfig": "a"}
    assert provider.diff("", olds, {"trigger": "2", "kubeconfig": "a"}).changes
    assert not provider.diff("", olds, {"trigger": "1", "kubeconfig": "b"}).changes
