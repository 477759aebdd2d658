"""What comes from outside comes encrypted."""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_policies.engine.policy import Kinds, Parameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.edge import internal


class Plain(Parameters):
    allowed: bool = False
    """Whether plain HTTP is allowed: on one machine, for one user."""
    redirect_listeners: frozenset[str] = frozenset({"http"})
    """Names of Gateway listeners that only send on to HTTPS."""


def check(edge: Resource, parameters: Plain) -> Iterator[str]:
    if parameters.allowed:
        return
    if edge.kind == "Ingress" and not internal(edge) and not edge.spec.get("tls"):
        yield "it has no `tls`, so requests and tokens come in as plain text; name a certificate (gateway.tls)"
    elif edge.kind == "Gateway":
        yield from _gateway(edge, parameters)


def _gateway(edge: Resource, parameters: Plain) -> Iterator[str]:
    for listener in edge.spec.get("listeners") or []:
        if listener["protocol"] in ("HTTP", "TCP") and listener["name"] not in parameters.redirect_listeners:
            yield f"listener {listener['name']} is {listener['protocol']} on port {listener['port']}; make it HTTPS"
    for server in edge.spec.get("servers") or []:
        if server["port"]["protocol"] in ("HTTP", "HTTP2", "TCP") and not _redirects(server) and not internal(edge):
            yield f"server {server['port']['name']} takes {server['port']['protocol']} and does not redirect; add tls"


def _redirects(server: Mapping[str, Any]) -> bool:
    return bool((server.get("tls") or {}).get("httpsRedirect"))


POLICY = ResourcePolicy(
    name="edge-tls",
    asks="Whatever is reached from outside is reached by TLS.",
    why="Tokens, data and predictions would be readable by everybody on the way.",
    parameters=Plain,
    of=Kinds("Ingress", "Gateway"),
    check=check,
    example="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: models}
spec: {rules: [{host: web.example.com}]}
""",
)
