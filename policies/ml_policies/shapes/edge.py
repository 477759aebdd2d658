"""What leads into the cluster, and what only leads about in it."""

from __future__ import annotations

from ml_policies.engine.resource import Resource

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


def families(service: Resource) -> set[str]:
    """The IP families in which a Service may have an address; where it does not say, the one of most clusters."""
    if str(service.spec.get("ipFamilyPolicy", "")).endswith("DualStack"):
        return {"IPv4", "IPv6"}
    return set(service.spec.get("ipFamilies") or ["IPv4"])
