"""What leads into the cluster, and what only leads about in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import holds

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOCAL = frozenset({"knative-local-gateway", "cluster-local-gateway"})
"""Knative's gateways for the cluster's own traffic, whose ports no Service gives to others."""
ENTRANCES = frozenset({80, 443, 8080, 8443})
"""Ports at which a gateway is reached from outside, whatever is declared here."""
PRIVATE: Mapping[str, Mapping[str, str]] = {
    "amazon": {
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    },
    "google": {
        "networking.gke.io/load-balancer-type": "Internal",
        "cloud.google.com/load-balancer-type": "Internal",
    },
    "azure": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
}
"""By cloud, annotations of load balancers that have no public address."""


def internal(resource: Resource) -> bool:
    """What is for the cluster's own traffic, by Knative's word for it."""
    return "cluster-local" in map(str, resource.labels.values())


def inside(gateway: Resource, port: Any, stack: Stack) -> bool:
    """Whether only the cluster's own traffic gets to a port of a gateway: no Service lets others in to it."""
    if str(gateway.metadata.get("name", "")) not in LOCAL or port in ENTRANCES:
        return False
    reached = (each for each in stack.of("Service") if exposed(each) or public(each))
    return not holds(lambda each: port in _targets(each), reached)


def _targets(service: Resource) -> set[Any]:
    return {each.get("targetPort", each.get("port")) for each in service.spec.get("ports") or []}


def routes(stack: Stack) -> list[Resource]:
    """Of the Gateway API, of every protocol."""
    return stack.of("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")


def public(service: Resource, cloud: str = "") -> bool:
    """A Service that has an address outside of the cluster, as far as its cloud, or any, has a word for one inside."""
    if service.kind != "Service" or service.spec.get("type") != "LoadBalancer":
        return False
    words = (
        PRIVATE.get(cloud, {}) if cloud else {key: value for each in PRIVATE.values() for key, value in each.items()}
    )
    return not any(str(service.annotations.get(key, "")).lower() == value.lower() for key, value in words.items())


def balanced(resource: Resource) -> bool:
    """Whether a load balancer of the cloud is made for it, for the world or for the inside."""
    gateway = resource.kind == "Gateway" and resource.group == "gateway.networking.k8s.io"
    return gateway or (resource.kind == "Service" and resource.spec.get("type") == "LoadBalancer")


def exposed(service: Resource) -> bool:
    """One that is reached from outside by the ports or the addresses of nodes."""
    spec = service.spec
    return service.kind == "Service" and (spec.get("type") == "NodePort" or bool(spec.get("externalIPs")))


def networks(ranges: Iterable[Any]) -> list[Network]:
    """As few as they are together.

    Raises:
        ValueError: one is no network.
    """
    found = [ipaddress.ip_network(str(each), strict=False) for each in ranges]
    fours = ipaddress.collapse_addresses(each for each in found if isinstance(each, ipaddress.IPv4Network))
    sixes = ipaddress.collapse_addresses(each for each in found if isinstance(each, ipaddress.IPv6Network))
    return [*fours, *sixes]


NARROWEST = {4: 8, 6: 16}
"""The bits of the largest network that anybody owns; a larger one is a part of the world."""


def worldwide(ranges: Iterable[Any]) -> list[str]:
    """What of them together is larger than anybody's own network."""
    return [str(each) for each in networks(ranges) if each.prefixlen < NARROWEST[each.version]]


def within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def families(service: Resource) -> set[str]:
    """The IP families in which a Service may have an address; where it does not say, the one of most clusters."""
    if str(service.spec.get("ipFamilyPolicy", "")).endswith("DualStack"):
        return {"IPv4", "IPv6"}
    return set(service.spec.get("ipFamilies") or ["IPv4"])
