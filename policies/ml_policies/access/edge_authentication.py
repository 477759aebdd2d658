"""What is public asks who is there."""

from collections.abc import Iterator, Sequence

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.edge import families, public


class Open(Parameters):
    networks: frozenset[str] = frozenset({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"})
    """Networks that a load balancer may let in without asking for a token."""


def services(resources: Sequence[Resource]) -> Iterator[Resource]:
    return (each for each in resources if each.kind == "Service")


def check(service: Resource, resources: Sequence[Resource], parameters: Open) -> Iterator[str]:
    if not public(service):
        return
    ranges = set(service.spec.get("loadBalancerSourceRanges") or [])
    bounded = {"IPv6" if ":" in each else "IPv4" for each in ranges}  # a range says nothing about the other family
    if ranges <= parameters.networks and families(service) <= bounded:
        return
    if service.namespace not in _namespaces(resources, "RequestAuthentication") & _denying(resources):
        yield (
            "it is a public load balancer, and nothing behind it asks for a token: set gateway.jwt (Istio), "
            "give it loadBalancerSourceRanges of private networks for each of its ipFamilies, or make it internal"
        )


def _namespaces(resources: Sequence[Resource], kind: str) -> set[str]:
    return {each.namespace for each in resources if each.kind == kind}


def _denying(resources: Sequence[Resource]) -> set[str]:
    """Where requests without an identity are refused."""
    return {
        each.namespace
        for each in resources
        if each.kind == "AuthorizationPolicy"
        and each.spec.get("action") == "DENY"
        and any(_anonymous(rule.get("from") or []) for rule in each.spec.get("rules") or [])
    }


def _anonymous(sources: Sequence[dict[str, dict[str, list[str]]]]) -> bool:
    return any("*" in (each.get("source") or {}).get("notRequestPrincipals", []) for each in sources)


POLICY = StackPolicy(
    name="edge-authentication",
    asks="Behind every public load balancer, requests need a token.",
    why="Models, runs and data would be everybody's who finds the address.",
    parameters=Open,
    subjects=services,
    check=check,
    example="""
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: gateway}
spec: {type: LoadBalancer, ports: [{port: 443}]}
""",
)
