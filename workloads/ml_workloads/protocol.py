"""How a model server is asked: the paths of each protocol, by the name that the server has for its model."""

from collections.abc import Mapping
from typing import Literal

Protocol = Literal["v1", "v2", "other"]
"""KServe's protocols, and what a server speaks that has neither."""
READY: Mapping[Protocol, str] = {"v1": "/v1/models/{}", "v2": "/v2/models/{}/ready"}
ASKED: Mapping[Protocol, str] = {"v1": "/v1/models/{}:predict", "v2": "/v2/models/{}/infer", "other": "/"}


def ready_path(protocol: Protocol, model: str) -> str:
    """Where a server of protocol v1 or v2 says whether this model is ready."""
    return READY[protocol].format(model)


def asked_path(protocol: Protocol, model: str) -> str:
    """Where a server takes requests for this model."""
    return ASKED[protocol].format(model)
