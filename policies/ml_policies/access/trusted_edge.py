"""Who comes from outside knows whom to trust."""

from collections.abc import Iterator

from ml_policies.engine.policy import ResourcePolicy
from ml_policies.engine.resource import Resource

OWN = "pulumi-python:dynamic/certificates:WebhookCertificate"
INSIDE = (".svc", ".svc.cluster.local")


def of_outside(resource: Resource) -> tuple[Resource, ...]:
    """Authorities of the stack's own for names outside of the cluster; those of releases are for its own traffic."""
    if resource.type == OWN:
        names = resource.props.get("dns_names") or []
        return () if names and all(name.endswith(INSIDE) for name in names) else (resource,)
    own = resource.kind in ("Issuer", "ClusterIssuer") and "ca" in resource.spec
    return (resource,) if own and not resource.bundle else ()


def check(_issuer: Resource, _parameters: object) -> Iterator[str]:
    yield "it makes the stack its own authority, which no client knows; set gateway.tls.issuer to acme or given"


POLICY = ResourcePolicy(
    name="trusted-edge",
    asks="What is reached from outside has a certificate of an authority that clients know.",
    why="Whoever is used to going on in spite of a warning goes on in front of a stranger too.",
    of=of_outside,
    check=check,
    level="advisory",
    example="""
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: gateway-authority, namespace: gateway}
spec: {ca: {secretName: gateway-authority}}
""",
)
