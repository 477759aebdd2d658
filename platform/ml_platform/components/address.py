"""Where the gateway is reached from outside: what a load balancer has given it, and the DNS records that lead there.

It waits for that address and says why none comes; it makes no record, since zones belong to others.
"""

import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.provider import Provider
from ml_platform.components.gateway import Gateway
from ml_platform.kube import Client
from ml_platform.settings import GatewaySettings

DEADLINE = 300.0  # clouds take one to three minutes


class Address(dynamic.Resource, module="gateway", name="Address"):
    """Created when the Service has an address; a refresh asks again."""

    address: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        namespace: str,
        service: str,
        kubeconfig: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {
            "namespace": namespace,
            "service": service,
            "kubeconfig": pulumi.Output.secret(kubeconfig),
            "address": None,
        }
        super().__init__(_Provider(), name, properties, opts)


class _Provider(Provider):
    silent = ("kubeconfig", "address")

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        name = f"{props['namespace']}/{props['service']}"
        return dynamic.CreateResult(id_=name, outs={**props, "address": _await(props)})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(outs={**news, "address": _await(news)})

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        given = _given(Client.from_kubeconfig(props["kubeconfig"]), props)
        return dynamic.ReadResult(id_=id_, outs={**props, "address": given or props["address"]})


def records_of(
    gateway: Gateway, settings: GatewaySettings, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> pulumi.Input[list[dict[str, str]]]:
    """The records that lead to the gateway, when that is reached; every machine knows `localhost` by itself."""
    if settings.host_port:
        return [] if settings.domain == "localhost" else records(settings.domain, settings.bind)
    found = Address(
        "gateway-address", namespace=gateway.namespace, service=gateway.service, kubeconfig=kubeconfig, opts=opts
    )
    return found.address.apply(lambda address: records(settings.domain, address))


def records(domain: str, address: str) -> list[dict[str, str]]:
    """What the zone must say: a star there stands for any number of labels, other than one on a certificate."""
    return [{"name": name, "type": _type(address), "value": address} for name in (domain, f"*.{domain}")]


def _type(address: str) -> str:
    try:
        return "A" if ip_address(address).version == 4 else "AAAA"
    except ValueError:
        return "CNAME"


def _await(props: Mapping[str, Any]) -> str:
    client, end = Client.from_kubeconfig(props["kubeconfig"]), time.monotonic() + DEADLINE
    while not (address := _given(client, props)):
        if time.monotonic() > end:
            raise BundleError(_pending(client, props))
        time.sleep(1)
    return address


def _given(client: Client, props: Mapping[str, Any]) -> str:
    service = client.get("v1", "Service", props["service"], props["namespace"])
    found = service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(found[0].get("ip") or found[0].get("hostname") or "")


def _pending(client: Client, props: Mapping[str, Any]) -> str:
    name = f"{props['namespace']}/{props['service']}"
    events = client.list("v1", "Event", props["namespace"], fields=f"involvedObject.name={props['service']}")
    said = f"Its last event: {events[-1].get('message')}" if events else "Nobody on this cluster tries to give it one."
    return (
        f"Service {name} of type LoadBalancer has no address after {DEADLINE:.0f} s. {said} A cluster needs somebody "
        f"who hands them out: the cloud's own controller, MetalLB, `minikube tunnel`, kind's cloud-provider-kind. For "
        f"one machine there is a port of the node instead:\n"
        f"  pulumi config set --path 'ml-platform:platform.gateway.host_port' 8080"
    )
