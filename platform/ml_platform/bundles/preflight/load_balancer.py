"""Whether a Service of type LoadBalancer gets an address. No API says so; Services, nodes and address pools show it."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ml_platform.bundles.preflight.distribution import ASSUMED, Distribution, nodes, recognised
from ml_platform.bundles.preflight.owners import ours
from ml_platform.kube import Client, NotFound, Object

PATIENCE = datetime.timedelta(minutes=5)
PORTS = (80, 443)  # of the gateway
# Kinds of address pools. Controllers that give addresses on machines of one's own give none without a pool.
_POOLS = (
    ("metallb.io/v1beta1", "IPAddressPool"),
    ("cilium.io/v2", "CiliumLoadBalancerIPPool"),
    ("cilium.io/v2alpha1", "CiliumLoadBalancerIPPool"),
    ("purelb.io/v1", "ServiceGroup"),
    ("network.openelb.io/v1alpha2", "Eip"),
)
# Schemes of the providerID of nodes whose provider has load balancers.
_CLOUDS = frozenset({
    "aws", "azure", "civo", "digitalocean", "exoscale", "gce", "hcloud", "ibm", "ionos", "k3s", "linode", "openstack",
    "scaleway", "upcloud", "vultr",
})  # fmt: skip
_GATEWAY = "'ml-platform:platform.gateway"
_WAYS_OUT = (
    "Install what gives them on machines of your own, such as MetalLB, with a pool of addresses. Or, if they are given "
    f"in a way that does not show: {ASSUMED}. Or let the gateway listen on ports of the node itself: pulumi config rm "
    f"--path {_GATEWAY}.access' && pulumi config set --path {_GATEWAY}.host_port' 8080 && pulumi config set --path "
    f"{_GATEWAY}.tls.host_port' 8443 && pulumi config set --path {_GATEWAY}.bind' 0.0.0.0 && pulumi config set --path "
    f"{_GATEWAY}.access[0]' 0.0.0.0/0, which lets in everybody who reaches the node"
)


@dataclass(frozen=True, kw_only=True)
class Signs:
    services: Sequence[Object]
    """Services of type LoadBalancer."""
    nodes: Sequence[Object]
    pools: Sequence[Object]
    """Address pools."""


def read(client: Client) -> Signs:
    services = client.list("v1", "Service", fields="spec.type=LoadBalancer")
    pools = [found for version, kind in _POOLS for found in _list_if_served(client, version, kind)]
    return Signs(services=services, nodes=nodes(client), pools=pools)


def _list_if_served(client: Client, api_version: str, kind: str) -> Sequence[Object]:
    try:
        return client.list(api_version, kind)
    except NotFound:
        return []


def findings(signs: Signs, labels: Mapping[str, str]) -> Iterator[str]:
    """Findings if the gateway's Service would wait for an address for ever. `labels` mark the stack's objects."""
    distribution = recognised(signs.nodes)
    if distribution and distribution.name in ("k3d", "k3s") and not signs.pools:
        others = [each for each in signs.services if not ours(each["metadata"], labels)]
        if conflicts := list(_port_conflicts(distribution, others)):
            yield from conflicts
            return
    if any((each.get("status") or {}).get("loadBalancer", {}).get("ingress") for each in signs.services):
        return
    if waiting := [each for each in signs.services if _waits_too_long(each)]:
        one = waiting[0]["metadata"]
        yield (
            f"No Service of type LoadBalancer has an address on this cluster: {one['namespace']}/{one['name']} waits "
            f"for one since {one['creationTimestamp']}, and the gateway's would as well. "
            f"{way_out(signs.nodes)}."
        )
        return
    providers = {(each.get("spec") or {}).get("providerID", "").partition(":")[0] for each in signs.nodes} - {""}
    if signs.pools or providers & _CLOUDS:
        return
    yield (
        "The gateway's Service of type LoadBalancer would wait for an address for ever: no Service has one, its nodes "
        f"are of {', '.join(sorted(providers)) or 'no cloud'}, and MetalLB, Cilium, PureLB or OpenELB have no pool of "
        f"addresses here. {way_out(signs.nodes)}."
    )


def way_out(nodes: Sequence[Object]) -> str:
    """The advice on how Services get addresses on a cluster of such nodes, or how the gateway needs none."""
    distribution = recognised(nodes)
    return (distribution and distribution.load_balancer) or _WAYS_OUT


def _port_conflicts(distribution: Distribution, others: Sequence[Object]) -> Iterator[str]:
    """Findings about Services that have the gateway's ports: on k3s and k3d a Service gets the addresses of all nodes,
    where each port belongs to one Service."""
    for each in others:
        metadata = each["metadata"]
        ports = [str(port["port"]) for port in each["spec"].get("ports") or [] if port["port"] in PORTS]
        brought_along = (metadata["namespace"], metadata["name"]) == ("kube-system", "traefik")
        way_out = (brought_along and distribution.without_traefik) or (
            f"Give it other ports, or no load balancer: kubectl --namespace {metadata['namespace']} edit service "
            f"{metadata['name']}"
        )
        if ports:
            yield (
                f"Service {metadata['namespace']}/{metadata['name']} of type LoadBalancer has port {', '.join(ports)} "
                f"of all nodes, and the gateway's would wait for {'it' if len(ports) == 1 else 'them'} for ever. "
                f"{way_out}."
            )


def _waits_too_long(service: Object) -> bool:
    since = datetime.datetime.fromisoformat(service["metadata"]["creationTimestamp"])
    ordinary = not service["spec"].get("loadBalancerClass")
    return ordinary and datetime.datetime.now(datetime.UTC) - since > PATIENCE
