"""What is public asks who is there."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ml_policies.engine.policy import Parameters, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.stack import Stack
from ml_policies.engine.values import holds, holds_each
from ml_policies.shapes.edge import exposed, families, networks, public, within

ROOT = "istio-system"
"""Istio's namespace, whose rules are of all."""


class Open(Parameters):
    networks: frozenset[str] = frozenset({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"})
    """Networks that a load balancer may let in without asking for a token."""
    cloud: Literal["", "amazon", "google", "azure", "ionos"] = ""
    """Whose annotations make a load balancer internal; ionos has none. Without a cloud: anybody's."""


def services(stack: Stack) -> Iterator[Resource]:
    yield from stack.of("Service")


def check(service: Resource, stack: Stack, parameters: Open) -> Iterator[str]:
    if not exposed(service) and not (public(service, parameters.cloud) and not _bounded(service, parameters)):
        return
    tokens, denials = stack.of("RequestAuthentication"), stack.of("AuthorizationPolicy")
    asked = (
        lambda: holds(lambda each: _guards(each, service), tokens),
        lambda: holds(lambda each: _guards(each, service) and _denies(each), denials),
    )
    if not holds_each(asked):
        yield (
            "it is public, and nothing behind it asks for a token: set gateway.jwt (Istio), "
            "give it loadBalancerSourceRanges of private networks for each of its ipFamilies, or make it internal"
        )


def _bounded(service: Resource, parameters: Open) -> bool:
    """Whether a load balancer lets in none but allowed networks, in each family that it has."""
    found, allowed = networks(service.spec.get("loadBalancerSourceRanges") or []), networks(parameters.networks)
    inside = all(any(within(each, outer) for outer in allowed) for each in found)
    return inside and families(service) <= {f"IPv{each.version}" for each in found}  # one says nothing of the other


def _guards(rules: Resource, service: Resource) -> bool:
    """Whether they are of the pods behind a Service: of its namespace, or of all, and of no narrower choice."""
    if rules.namespace not in (service.namespace, ROOT):
        return False
    chosen, behind = (rules.spec.get("selector") or {}).get("matchLabels") or {}, service.spec.get("selector") or {}
    gateways = all(each.get("kind") == "Gateway" for each in rules.spec.get("targetRefs") or [])
    return gateways and all(behind.get(key) == value for key, value in chosen.items())


def _denies(rules: Resource) -> bool:
    """Whether it refuses requests without an identity."""
    return rules.spec.get("action") == "DENY" and any(map(_anonymous, rules.spec.get("rules") or []))


def _anonymous(rule: Mapping[str, Any]) -> bool:
    """Refuses whoever has no token, wherever the request goes but for listed exceptions, and whenever it comes."""
    sources = [each.get("source") or {} for each in rule.get("from") or []]
    everywhere = all(_but_for(each.get("operation") or {}) for each in rule.get("to") or [])
    alone = any(dict(each) == {"notRequestPrincipals": ["*"]} for each in sources)
    return alone and everywhere and not rule.get("when")


def _but_for(operation: Mapping[str, Any]) -> bool:
    """What has exceptions only, of which none is everything."""
    return all(key.startswith("not") and not {"*", "/*"}.intersection(found) for key, found in operation.items())


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
