"""The gateway: every request from outside enters here. What all that can stand there have in common.

It owns names and ports, not what listens on them: traefik.py and istio.py do. The routes belong to whoever declares
them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi

from ml_platform.components.certificate import GatewayCertificate
from ml_platform.settings import GatewaySettings

NAMESPACE = "gateway"
"""Of a gateway that is no bundle."""


class Gateway(Protocol):
    namespace: str
    """Where its pods are: requests to services come from there."""
    service: str
    """The Service there that clients outside connect to."""
    url: str
    """http://{host}.localhost:8080: put the host's name in."""
    reference: str
    """<namespace>/<name> of the Gateway (of the Gateway API) to which routes attach."""
    routable: Sequence[pulumi.Resource]
    """What must exist before a route is declared."""
    ready: list[pulumi.Resource]
    """What must exist before requests are answered."""
    certificate: GatewayCertificate | None

    def route(self, meta: Mapping[str, Any], port: int, hosts: Sequence[str]) -> dict[str, Any]:
        """The manifest that leads `hosts` to the service of the same name."""


def url(settings: GatewaySettings) -> str:
    """How a name on the gateway becomes a URL."""
    scheme, port = ("https", settings.https.host_port) if settings.https else ("http", settings.host_port)
    return f"{scheme}://{{host}}.{settings.domain}" + (f":{port}" if port else "")
