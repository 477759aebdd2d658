"""How CRDs go: one that the API server has failed to empty is touched, so that it looks again."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.bundles import definitions
from ml_platform.bundles.errors import BundleError
from ml_platform.kube import NotFound
from support import waiting

STUCK, QUICK = "models.x.test", "runs.x.test"


class Server:
    """CRDs of which one goes only when it has changed after it was deleted."""

    def __init__(self, gives_in: bool = True) -> None:
        self.there = {STUCK, QUICK}
        self.gives_in = gives_in
        self.touched: list[str] = []

    def delete(self, _api: str, _kind: str, name: str) -> None:
        self.there -= {name} - {STUCK}

    def patch(self, _api: str, _kind: str, name: str, _namespace: None, _patch: Any) -> None:
        if name not in self.there:
            raise NotFound(404, "NotFound", name)
        self.touched.append(name)
        if self.gives_in:
            self.there.remove(name)

    def metadata(self, _api: str, _kind: str, name: str) -> dict[str, Any] | None:
        return {} if name in self.there else None

    def find(self, _api: str, _kind: str, name: str) -> dict[str, Any] | None:
        said = {"type": "Terminating", "status": "True", "message": "could not list instances"}
        return {"status": {"conditions": [said]}} if name in self.there else None


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = waiting.clock(monkeypatch)
    monkeypatch.setattr(definitions, "served", lambda client, names: client.there & set(names))
    return now


def remove(server: Any) -> None:
    definitions._remove(server, [STUCK, QUICK], "x")


def test_a_crd_that_does_not_go_is_touched_and_the_others_are_not(clock: list[float]) -> None:
    server = Server()
    remove(server)
    assert (server.there, server.touched) == (set(), [STUCK])
    assert clock[0] < 2 * definitions.INSIST_AFTER


def test_a_crd_that_never_goes_is_named_with_what_the_server_says_of_it() -> None:
    with pytest.raises(BundleError, match=f"are still served: {STUCK} .Terminating=True could not list instances"):
        remove(Server(gives_in=False))
