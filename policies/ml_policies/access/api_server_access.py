"""The Kubernetes API is not the whole world's."""

from collections.abc import Iterator
from typing import Any

from ml_policies.engine.policy import Kinds, NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.edge import worldwide

GOOGLE, AMAZON, IONOS = "gcp:container/cluster:Cluster", "aws:eks/cluster:Cluster", "ionoscloud:k8s/cluster:Cluster"


def check(cluster: Resource, _: NoParameters) -> Iterator[str]:
    found = _networks(cluster)
    if found is None:
        return
    if not found:
        yield "its API server is open to the whole world, for want of a list; set api_access to your own networks"
        return
    if open_to := worldwide(found):
        yield f"its API server is open to {', '.join(open_to)}, the whole world; set api_access to your own networks"


def _networks(cluster: Resource) -> list[Any] | None:
    """Those that may reach it; None if it is private altogether."""
    props = cluster.props
    if cluster.type == GOOGLE:
        if (props.get("privateClusterConfig") or {}).get("enablePrivateEndpoint"):
            return None
        blocks = (props.get("masterAuthorizedNetworksConfig") or {}).get("cidrBlocks") or []
        return [each["cidrBlock"] for each in blocks if "cidrBlock" in each]
    if cluster.type == AMAZON:
        config = props.get("vpcConfig") or {}
        return None if config.get("endpointPublicAccess") is False else config.get("publicAccessCidrs") or []
    return props.get("apiSubnetAllowLists") or [] if props.get("public", True) else None


POLICY = ResourcePolicy(
    name="api-server-access",
    asks="Not everybody reaches the Kubernetes API.",
    why="One stolen token, or one flaw of the API server, is then everybody's way in.",
    of=Kinds(GOOGLE, AMAZON, IONOS),
    check=check,
    example="""
type: aws:eks/cluster:Cluster
name: ml-platform
props: {vpcConfig: {endpointPublicAccess: true, publicAccessCidrs: [0.0.0.0/0]}}
""",
)
