"""How a model server is told that its requests are kept, and which host takes them."""

import json
from dataclasses import dataclass
from typing import Any

from ml_platform import pods

from ml_workloads.requests_settings import KeptSettings

COLLECTOR = "requests"
"""The name of the collector, of its Service and of its account."""
PORT = 8080
VOLUME, FOLDER = "requests", "/requests"
ROOM = "256Mi"
"""The disk of a replica, for requests that the collector has not taken yet."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The requests of one block of `serving`."""

    block: str
    namespace: str
    every: int
    settings: KeptSettings

    def variable(self, version: str | None = None) -> list[dict[str, Any]]:
        """The variable of the server that tells it; `version` names what answers, where the registry does not."""
        told = {
            "url": f"http://{COLLECTOR}.{self.namespace}.svc.cluster.local:{PORT}",
            "service": self.block,
            "sample": self.settings.sample,
            "named": sorted({*self.settings.drop, *self.settings.hash}),
            "every": self.every,
            **({"version": version} if version else {}),
        }
        return pods.variables({"ML_REQUESTS": json.dumps(told, sort_keys=True)})

    @property
    def mount(self) -> dict[str, Any]:
        return {"name": VOLUME, "mountPath": FOLDER}

    @property
    def volume(self) -> dict[str, Any]:
        return pods.scratch(VOLUME, ROOM)
