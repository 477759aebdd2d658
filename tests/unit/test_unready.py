"""What is said of a server of one's own that runs and is not ready, asked of an API of dicts."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.kube import KubeError
from ml_workloads import rollout, unready
from support.cluster import FakeClient

BLOCK = "ml-platform:workloads.serving.ctr"
V1, V2 = "/v1/models/ctr", "/v2/models/ctr/ready"
LISTENS = {"port": 9001.0, "others": {"v1": V1}}  # as the engine hands it over
REFUSED = KubeError(503, "ServiceUnavailable", "error trying to reach service: dial tcp: connection refused")
NO_PATH = KubeError(404, "NotFound", "GET ...: HTTP 404: Not Found")
LOADS = KubeError(503, "Unknown", "GET ...: HTTP 503: loading")
NO_JSON = ValueError("Expecting value")


def pod(state: str = "running") -> dict[str, Any]:
    status = {"containerStatuses": [{"name": "kserve-container", "state": {state: {}}}]}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "models"}, "status": status}


def why(refused: dict[str, Exception], *pods: dict[str, Any]) -> str | None:
    return unready.why(FakeClient(refused=refused), pods or (pod(),), V2, LISTENS, BLOCK)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("refused", "says", "key"),
    [
        ({V1: REFUSED, V2: REFUSED}, "Nothing listens at port 9001 of pod p", "port' <port>"),
        ({V2: NO_PATH}, f"answers 404 at {V2}, and is ready at {V1}: it speaks protocol v1", "protocol' v1"),
        ({V1: NO_JSON, V2: NO_PATH}, "it speaks protocol v1", "protocol' v1"),
        ({V1: NO_PATH, V2: NO_PATH}, f"answers 404 at {V2}. Name the path", "model_name' <name>"),
        ({V1: LOADS, V2: LOADS}, f"answers 503 at {V2}. If its start takes longer", "timeout' <seconds>"),
    ],
    ids=["listens elsewhere", "the other protocol", "in words of its own", "another path", "a slow start"],
)
def test_what_to_change_is_said(refused: dict[str, Exception], says: str, key: str) -> None:
    sentence = why(refused)
    assert sentence
    assert says in sentence
    assert f"\n  pulumi config set --path '{BLOCK}.{key}" in sentence


def test_of_a_server_that_answers_or_does_not_run_nothing_is_said() -> None:
    assert why({}) is None
    assert why({V2: REFUSED}, pod("waiting")) is None
    client: Any = FakeClient(refused={V2: REFUSED})
    assert "port 9001 of" in str(unready.why(client, [pod("waiting"), pod()], V2, LISTENS, BLOCK))
    assert client.requests == [f"GET /api/v1/namespaces/models/pods/p:9001/proxy{V2}"]


@pytest.mark.parametrize("below", ["", "canary."])
def test_the_rollout_says_it_between_the_log_and_the_way_out(below: str) -> None:
    setting = f"{BLOCK}.{below}image"
    props = {"namespace": "models", "service": "ctr", "served": "ctr@sha256:1", "ready": V2, "listens": LISTENS}
    client: Any = FakeClient(logs={"p/kserve-container": "I listen at 9000"}, refused={V2: REFUSED})
    said = rollout._complaint(client, {**props, "setting": setting}, "not ready after 30 s: unknown", [pod()])
    first, _, log, nothing, port, before, image, *drop = said.splitlines()
    assert first == "InferenceService models/ctr does not serve ctr@sha256:1: not ready after 30 s: unknown"
    assert (log, nothing.partition(" at ")[0]) == ("I listen at 9000", "Nothing listens")
    assert port == f"  pulumi config set --path '{BLOCK}.port' <port>"
    assert before == "What answered before goes on answering. Choose another image with:"
    assert image == f"  pulumi config set --path '{setting}' <image>"
    assert bool(drop) is bool(below)
