"""Whether a Service of type LoadBalancer gets an address. No API says so: what shows it is looked for."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml_platform.kube import Client, NotFound, Object

PATIENCE = datetime.timedelta(minutes=5)
NODES = 10  # they are of one kind, mostly
# Of those that give addresses on machines of one's own. Without a pool they give none.
_POOLS = (
    ("metallb.io/v1beta1", "IPAddressPool"),
    ("cilium.io/v2", "CiliumLoadBalancerIPPool"),
    ("cilium.io/v2alpha1", "CiliumLoadBalancerIPPool"),
    ("purelb.io/v1", "ServiceGroup"),
    ("network.openelb.io/v1alpha2", "Eip"),
)
# The scheme of a node's provider identifier, where the provider has load balancers.
_CLOUDS = frozenset({
    "aws", "azure", "civo", "digitalocean", "exoscale", "gce", "hcloud", "ibm", "ionos", "k3s", "linode", "openstack",
    "scaleway", "upcloud", "vultr",
})  # fmt: skip
_WAYS_OUT = (
    "Install one that does (cloud-provider-kind for kind, `minikube tunnel` for minikube, MetalLB for machines of your "
    "own); or let the gateway listen on a port of the node itself: "
    "pulumi config set --path 'ml-platform:platform.gateway.host_port' 8080; or, if addresses are given in a way that "
    "does not show: pulumi config set --path 'ml-platform:cluster.load_balancer.assumed' true"
)


@dataclass(frozen=True, kw_only=True)
class Signs:
    services: Sequence[Object]
    """Those of type LoadBalancer."""
    nodes: Sequence[Object]
    pools: Sequence[Object]
    """Of addresses."""


def read(client: Client) -> Signs:
    services = client.list("v1", "Service", fields="spec.type=LoadBalancer")
    nodes = client.request("GET", "/api/v1/nodes", params={"limit": str(NODES)})["items"]
    pools = [found for version, kind in _POOLS for found in _some(client, version, kind)]
    return Signs(services=services, nodes=nodes, pools=pools)


def _some(client: Client, api_version: str, kind: str) -> Sequence[Object]:
    try:
        return client.list(api_version, kind)
    except NotFound:
        return []


def findings(signs: Signs) -> Iterator[str]:
    """A Service would wait for an address for ever."""
    if any((each.get("status") or {}).get("loadBalancer", {}).get("ingress") for each in signs.services):
        return
    if waiting := [each for each in signs.services if _waits(each)]:
        one = waiting[0]["metadata"]
        yield (
            f"No Service of type LoadBalancer has an address on this cluster: {one['namespace']}/{one['name']} waits "
            f"for one since {one['creationTimestamp']}, and the gateway's would as well. {_WAYS_OUT}."
        )
        return
    providers = {(each.get("spec") or {}).get("providerID", "").partition(":")[0] for each in signs.nodes} - {""}
    if signs.pools or providers & _CLOUDS:
        return
    yield (
        "The gateway's Service of type LoadBalancer would wait for an address for ever: no Service has one, its nodes "
        f"are of {', '.join(sorted(providers)) or 'no cloud'}, and MetalLB, Cilium, PureLB or OpenELB have no pool of "
        f"addresses here. {_WAYS_OUT}."
    )


def _waits(service: Object) -> bool:
    since = datetime.datetime.fromisoformat(service["metadata"]["creationTimestamp"])
    ordinary = not service["spec"].get("loadBalancerClass")
    return ordinary and datetime.datetime.now(datetime.UTC) - since > PATIENCE
