"""A drain ends when nothing is left of any kind, also of what was made while others went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ml_platform.bundles import drain

ROUTES, INGRESSES = "/apis/x.test/v1/routes", "/apis/x.test/v1/ingresses"


class Cluster:
    """Its controller makes an ingress when the last route goes."""

    def __init__(self) -> None:
        self.objects = {ROUTES: ["route"], INGRESSES: []}

    def request(self, method: str, path: str, **_: Any) -> Mapping[str, Any]:
        if method == "GET":
            return {"items": [{"metadata": {"name": name}} for name in self.objects[path]], "metadata": {}}
        kind, _, name = path.rpartition("/")
        self.objects[kind].remove(name)
        if kind == ROUTES:
            self.objects[INGRESSES].append("late")
        return {}


def test_what_is_made_on_the_way_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster: Any = Cluster()
    monkeypatch.setattr(drain, "served", lambda client, names: {"routes": ROUTES, "ingresses": INGRESSES})
    drain._delete_all(cluster, "x", ["routes.x.test", "ingresses.x.test"])
    assert cluster.objects == {ROUTES: [], INGRESSES: []}
