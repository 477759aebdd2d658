"""The gateway, through which every request from outside enters: the interface that Traefik and Istio share.

traefik.py and istio.py implement it. Routes belong to the components that declare them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi

from ml_platform.components.certificate import GatewayCertificate
from ml_platform.settings import GatewaySettings

NAMESPACE = "gateway"
"""The namespace of Traefik; Istio's comes with its bundle."""


class Gateway(Protocol):
    namespace: str
    """The namespace of the gateway's pods, which requests to services come from."""
    service: str
    """The name of the Service that clients outside connect to."""
    url: str
    """The URL of a host on the gateway, with a place for the host's name: http://{host}.localhost:8080."""
    reference: str
    """The Gateway (of the Gateway API) to which routes attach, as <namespace>/<name>."""
    routable: Sequence[pulumi.Resource]
    """The resources that a route depends on."""
    ready: list[pulumi.Resource]
    """The resources that are done when the gateway answers requests."""
    certificate: GatewayCertificate | None

    def route(
        self, meta: Mapping[str, Any], port: int, hosts: Sequence[str], paths: Sequence[str] = ("/",)
    ) -> dict[str, Any]:
        """The manifest of a route from `hosts` to `port` of the Service that has the same name as the route, for
        requests whose path begins with one of `paths`."""


def url(settings: GatewaySettings) -> str:
    """The URL of a host on the gateway, with `{host}` in place of the host's name."""
    scheme, port = ("https", settings.https.host_port) if settings.https else ("http", settings.host_port)
    return f"{scheme}://{{host}}.{settings.domain}" + (f":{port}" if port else "")


def unserved(settings: GatewaySettings, services: Sequence[str], host: str) -> str:
    """The text of the 404 for a host that nobody serves: it lists the URLs that are served.

    Args:
        settings: of the gateway.
        services: the platform's own hosts, below the domain.
        host: what the gateway replaces with the host of the request.
    """
    template = url(settings)
    urls = ", ".join(template.format(host=name) for name in services if name)
    return (
        f"Nobody serves the host {host}. Served are {urls}, and models at "
        f"{template.format(host='<model>.<namespace>')}: `pulumi stack output prediction_urls` lists them."
    )
