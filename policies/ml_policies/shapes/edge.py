"""What leads into the cluster, and what only leads about in it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from ml_policies.engine.resource import Resource

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOCAL = ("local-gateway", "cluster-local")
PRIVATE = {
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "networking.gke.io/load-balancer-type": "Internal",
    "cloud.google.com/load-balancer-type": "Internal",
}
"""Annotations of load balancers that have no public address."""


def internal(resource: Resource) -> bool:
    """A gateway for the cluster's own traffic, by its name or by Knative's word for it."""
    name = str(resource.metadata.get("name", ""))
    return any(word in name for word in LOCAL) or "cluster-local" in map(str, resource.labels.values())


def public(service: Resource) -> bool:
    """A Service that has an address outside of the cluster."""
    if service.kind != "Service" or service.spec.get("type") != "LoadBalancer":
        return False
    return not any(str(service.annotations.get(key, "")).lower() == value.lower() for key, value in PRIVATE.items())


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
