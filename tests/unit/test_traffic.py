"""When requests are shared as asked, asked of an API of dicts."""

from __future__ import annotations

from typing import Any

import pytest
from ml_workloads import traffic
from ml_workloads.traffic import TrafficError
from support import waiting
from support.cluster import FakeClient

SHARES = {"iris": 90, "iris-canary": 10}
TRUE = {"type": "Ready", "status": "True"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.clock(monkeypatch)


def settle(monkeypatch: pytest.MonkeyPatch, mode: str, *objects: Any) -> None:
    route = {
        "namespace": "models",
        "route": "iris",
        "mode": mode,
        "part": "predictor",
        "shares": SHARES,
        "served": [],
        "timeout": 60,
    }
    props = {"kubeconfig": "{}", **route}
    monkeypatch.setattr(traffic.Client, "from_kubeconfig", lambda *_, **__: FakeClient(*objects))
    traffic._Provider().create(props)


def named(kind: str, name: str, status: Any = None, **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "namespace": "models", **metadata}, "status": status or {}}


def configurations(stable: str = "iris-1", canary: str = "canary-1") -> list[dict[str, Any]]:
    newest = {"iris-predictor": stable, "iris-canary-predictor": canary}
    return [named("Configuration", name, {"latestReadyRevisionName": ready}) for name, ready in newest.items()]


def route(shares: dict[str, int], *, seen: int = 2, conditions: Any = (TRUE,)) -> dict[str, Any]:
    split = [{"revisionName": name, "percent": percent} for name, percent in shares.items()]
    status = {"observedGeneration": seen, "traffic": split, "conditions": list(conditions)}
    return named("Route", "iris", status, generation=2)


def test_with_knative_each_newest_revision_gets_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, "knative", route({"iris-1": 90, "canary-1": 10}), *configurations())
    assert traffic.time.monotonic() == 0


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (route({"iris-1": 100}), "it gives {'iris-1': 100}, and shall give {'iris-1': 90, 'canary-1': 10}"),
        (route({"iris-0": 90, "canary-1": 10}), "it gives {'iris-0': 90"),
        (route({"iris-1": 90, "canary-1": 10}, seen=1), "has not seen its last change"),
        (
            route({"iris-1": 90, "canary-1": 10}, conditions=[{**TRUE, "status": "False", "message": "no gateway"}]),
            "Ready: no gateway",
        ),
        (route({"iris-1": 90, "canary-1": 10}, conditions=[]), "Ready: Unknown"),
    ],
    ids=["as before", "an older revision", "not seen yet", "not ready", "nothing said"],
)
def test_with_knative_anything_else_is_waited_for(found: Any, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrafficError) as refused:
        settle(monkeypatch, "knative", found, *configurations())
    assert "models/iris are not shared as asked after 60 s" in str(refused.value)
    assert reason in str(refused.value)


def http_route(*parents: dict[str, Any]) -> dict[str, Any]:
    return named("HTTPRoute", "iris", {"parents": list(parents)}, generation=2)


def parent(accepted: str = "True", resolved: str = "True", seen: int = 2) -> dict[str, Any]:
    said = {"Accepted": accepted, "ResolvedRefs": resolved}
    return {
        "conditions": [
            {"type": kind, "status": status, "observedGeneration": seen, "message": "no such thing"}
            for kind, status in said.items()
        ]
    }


def test_in_standard_mode_the_gateway_has_taken_the_route_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch, "standard", http_route(parent()))
    assert traffic.time.monotonic() == 0


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (http_route(), "no gateway has seen it"),
        (http_route(parent(seen=1)), "has not seen its last change"),
        (http_route(parent(accepted="False")), "Accepted: no such thing"),
        (http_route(parent(resolved="False")), "ResolvedRefs: no such thing"),
        (http_route(parent(), {"conditions": []}), "has not seen its last change"),
    ],
    ids=["nobody", "not seen yet", "refused", "leads nowhere", "one of two"],
)
def test_in_standard_mode_anything_else_is_waited_for(found: Any, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrafficError, match=reason):
        settle(monkeypatch, "standard", found)
