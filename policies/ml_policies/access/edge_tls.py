"""What comes from outside comes encrypted."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import holds
from ml_policies.shapes.edge import inside, internal, routes

ENCRYPTED = frozenset({"HTTPS", "TLS"})
SWITCHES = ("ssl-redirect", "force-ssl-redirect")
"""How annotations end that turn the redirect of a controller on and off."""


class Plain(Parameters):
    allowed: bool = False
    """Whether plain HTTP is allowed: on one machine, for one user."""


def edges(stack: Stack) -> Iterator[Resource]:
    yield from stack.of("Ingress", "Gateway", "IngressRoute")
    yield from (each for each in stack.of("Route") if each.group == "route.openshift.io")


def check(edge: Resource, stack: Stack, parameters: Plain) -> Iterator[str]:
    if parameters.allowed:
        return
    if edge.kind == "Ingress":
        yield from () if internal(edge) else _ingress(edge)
    elif edge.kind == "Gateway":
        yield from _listeners(edge, stack)
        yield from _servers(edge, stack)
    elif not edge.spec.get("tls") or edge.spec["tls"].get("insecureEdgeTerminationPolicy") == "Allow":
        yield "it takes plain text; give it `tls`, and let nothing else in"


def _ingress(edge: Resource) -> Iterator[str]:
    if not edge.spec.get("tls"):
        yield "it has no `tls`, so requests and tokens come in as plain text; name a certificate (gateway.tls)"
        return
    covered = [host for each in edge.spec["tls"] for host in each.get("hosts") or ["*"]]
    for rule in edge.spec.get("rules") or []:
        host = str(rule.get("host") or "")
        if not any(pattern == host or fnmatchcase(host, pattern) for pattern in covered):
            yield f"host {host or '*'} is not among the hosts of its `tls`, so it comes in as plain text; add it there"
    for key in (each for each in edge.annotations if each.endswith(SWITCHES)):
        if str(edge.annotations[key]).lower() == "false":
            yield f"{key} turns the redirect to HTTPS off; drop it"


def _listeners(edge: Resource, stack: Stack) -> Iterator[str]:
    """Of the Gateway API: a plain one is for a redirect, which takes no other routes."""
    for listener in edge.spec.get("listeners") or []:
        if listener.get("protocol") not in ENCRYPTED and not _only_redirects(edge, listener, stack):
            yield (
                f"listener {listener.get('name')} is {listener.get('protocol')} on port {listener.get('port')}; make it"
                " HTTPS, or let it take routes of its own namespace only, of which an HTTPRoute redirects all to https"
            )


def _only_redirects(edge: Resource, listener: Mapping[str, Any], stack: Stack) -> bool:
    source = ((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from", "Same")
    if source not in ("Same", "None") or listener.get("protocol") != "HTTP":
        return False
    attached = [each for each in routes(stack) if _attaches(each, edge, listener)]
    return bool(attached) and not holds(lambda route: not _redirects(route), attached)


def _attaches(route: Resource, edge: Resource, listener: Mapping[str, Any]) -> bool:
    for parent in route.spec.get("parentRefs") or []:
        here = parent.get("namespace", route.namespace) == edge.namespace == route.namespace
        named = parent.get("name") == edge.metadata.get("name")
        if here and named and parent.get("sectionName", listener.get("name")) == listener.get("name"):
            return True
    return False


def _redirects(route: Resource) -> bool:
    """Whether all that it takes is sent on to https."""
    rules = route.spec.get("rules") or [{}]
    return route.kind == "HTTPRoute" and all(any(map(_to_https, rule.get("filters") or [])) for rule in rules)


def _to_https(found: Mapping[str, Any]) -> bool:
    return found.get("type") == "RequestRedirect" and (found.get("requestRedirect") or {}).get("scheme") == "https"


def _servers(edge: Resource, stack: Stack) -> Iterator[str]:
    """Of Istio's own Gateway."""
    for server in edge.spec.get("servers") or []:
        port = server.get("port") or {}
        redirects = (server.get("tls") or {}).get("httpsRedirect")
        if port.get("protocol") not in ENCRYPTED and not redirects and not inside(edge, port.get("number"), stack):
            yield f"server {port.get('name')} takes {port.get('protocol')} and does not redirect; add tls"


POLICY = StackPolicy(
    name="edge-tls",
    asks="Whatever is reached from outside is reached by TLS.",
    why="Tokens, data and predictions would be readable by everybody on the way.",
    parameters=Plain,
    subjects=edges,
    check=check,
    example="""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: models}
spec: {rules: [{host: web.example.com}]}
""",
)
