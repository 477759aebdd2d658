"""The gateway's address outside of the cluster: what its load balancer assigns, and the DNS records that lead there.

The resource waits for the address and says why none is assigned. The records are outputs only: DNS zones belong to
others.
"""

import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.asking import asked
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.preflight.distribution import nodes
from ml_platform.bundles.preflight.load_balancer import way_out
from ml_platform.bundles.provider import Provider
from ml_platform.components.gateway import Gateway
from ml_platform.kube import Client, KubeError
from ml_platform.settings import GatewaySettings

DEADLINE = 300.0  # clouds take one to three minutes


class Address(dynamic.Resource, module="gateway", name="Address"):
    """The address of a Service of type LoadBalancer: creation waits for it, and a refresh reads it again."""

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
    silent = ("address",)  # a new kubeconfig is stored by an update: a refresh gets the old outputs

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(id_=_name(props), outs={**props, "address": _wait_for_address(props)})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(outs={**news, "address": _wait_for_address(news)})

    def found(self, props: dict[str, Any]) -> dict[str, Any] | None:
        """The properties with the Service's address of now; None where the Service is gone, so that the next update
        waits for a new one."""
        with asked(props["kubeconfig"], _question(props)) as client:
            given = _current_address(client, props)
        return None if given is None else {**props, "address": given or props["address"]}


def records_of(
    gateway: Gateway, settings: GatewaySettings, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> pulumi.Input[list[dict[str, str]]]:
    """The DNS records that lead to the gateway; none for `localhost`, which every machine resolves itself."""
    if settings.host_port:
        return [] if settings.domain == "localhost" else records(settings.domain, settings.bind)
    found = Address(
        "gateway-address", namespace=gateway.namespace, service=gateway.service, kubeconfig=kubeconfig, opts=opts
    )
    return found.address.apply(lambda address: records(settings.domain, address))


def records(domain: str, address: str) -> list[dict[str, str]]:
    """The two records of the domain and of all names below it. A star in DNS stands for any number of labels; one on a
    certificate stands for exactly one."""
    return [{"name": name, "type": _type(address), "value": address} for name in (domain, f"*.{domain}")]


def _type(address: str) -> str:
    try:
        return "A" if ip_address(address).version == 4 else "AAAA"
    except ValueError:
        return "CNAME"


def _wait_for_address(props: Mapping[str, Any]) -> str:
    end = time.monotonic() + DEADLINE
    with asked(props["kubeconfig"], _question(props), patience=DEADLINE) as client:
        while not (address := _current_address(client, props)):
            if address is None:
                raise BundleError(
                    f"Service {_name(props)} is not there: somebody has deleted it. `pulumi up --refresh` makes it "
                    "again."
                )
            if time.monotonic() > end:
                raise BundleError(_timeout_message(client, props))
            time.sleep(1)
    return address


def _name(props: Mapping[str, Any]) -> str:
    return f"{props['namespace']}/{props['service']}"


def _question(props: Mapping[str, Any]) -> str:
    return f"which address Service {_name(props)} has"


def _current_address(client: Client, props: Mapping[str, Any]) -> str | None:
    """The Service's address, which is empty until one is assigned; None where there is no such Service."""
    service = client.find("v1", "Service", props["service"], props["namespace"])
    if service is None:
        return None
    found = service.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(found[0].get("ip") or found[0].get("hostname") or "")


def _last_event(client: Client, props: Mapping[str, Any]) -> str:
    try:
        events = client.list("v1", "Event", props["namespace"], fields=f"involvedObject.name={props['service']}")
    except KubeError as error:
        return f"Its events can't be read: {error.message}."
    return f"Its last event: {events[-1].get('message')}" if events else "Nobody on this cluster tries to give it one."


def _timeout_message(client: Client, props: Mapping[str, Any]) -> str:
    try:
        found = nodes(client)
    except KubeError:
        found = []
    return (
        f"Service {_name(props)} of type LoadBalancer has no address after {DEADLINE:.0f} s. "
        f"{_last_event(client, props)} {way_out(found)}."
    )
