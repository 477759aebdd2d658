"""The virtual data center of the nodes, and the reserved address of the gateway."""

from dataclasses import dataclass

import pulumi
from pulumi_ionoscloud import compute

from ml_platform.component import Component
from ml_platform.settings import IonosCluster


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    settings: IonosCluster


class Network(Component):
    token = "ml-platform:ionos:Network"  # noqa: S105 - a type token

    datacenter: pulumi.Output[str]
    """The id of the virtual data center."""
    address: pulumi.Output[str]
    """The reserved address of the gateway."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        settings = args.settings
        if settings.datacenter:
            self.datacenter = pulumi.Output.from_input(settings.datacenter)
        else:
            made = compute.Datacenter(
                name,
                name=name,
                location=settings.location,
                description="Nodes of the ML platform",
                opts=self.child(),
            )
            self.datacenter = made.id
        block = compute.IPBlock(f"{name}-gateway", name=f"{name}-gateway", location=settings.location, size=1,
                                opts=self.child())  # fmt: skip
        self.address = block.ips.apply(lambda addresses: addresses[0])
        self.register_outputs({"datacenter": self.datacenter, "address": self.address})
