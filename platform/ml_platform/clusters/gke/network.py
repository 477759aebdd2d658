"""The network of the nodes, its NAT, and the reserved address of the gateway."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import compute

from ml_platform.component import Component
from ml_platform.settings import GkeCluster

PODS, SERVICES = "pods", "services"


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    settings: GkeCluster


class Network(Component):
    token = "ml-platform:gke:Network"  # noqa: S105 - a type token

    network: compute.Network
    subnet: compute.Subnetwork
    address: pulumi.Output[str]
    """The reserved address of the gateway."""
    ready: Sequence[pulumi.Resource]
    """The NAT, by which nodes pull images, and the firewall rule, by which the API server calls webhooks on nodes."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, args.settings
        region, ranges = args.settings.region, args.settings.network
        self.network = compute.Network(name, name=name, auto_create_subnetworks=False, opts=self.child())
        self.subnet = compute.Subnetwork(
            name,
            name=name,
            region=region,
            network=self.network.id,
            ip_cidr_range=ranges.nodes,
            secondary_ip_ranges=[
                {"range_name": PODS, "ip_cidr_range": ranges.pods},
                {"range_name": SERVICES, "ip_cidr_range": ranges.services},
            ],
            private_ip_google_access=True,
            opts=self.child(),
        )
        self.ready = [self._nat(), self._webhooks()]
        gateway = compute.Address(
            f"{name}-gateway", name=f"{name}-gateway", region=region, address_type="EXTERNAL", opts=self.child()
        )
        self.address = gateway.address
        self.register_outputs({"network": self.network.id, "address": self.address})

    def _nat(self) -> compute.RouterNat:
        """The NAT of the nodes, which have no public addresses: without it, they could pull only Google's images."""
        name, region = self._name, self._settings.region
        router = compute.Router(name, name=name, region=region, network=self.network.id, opts=self.child())
        return compute.RouterNat(
            name,
            name=name,
            region=region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            opts=self.child(),
        )

    def _webhooks(self) -> compute.Firewall:
        """The firewall rule for webhooks, which listen at other ports than 443 and 10250: GKE itself lets the control
        plane reach nodes at those two only."""
        return compute.Firewall(
            f"{self._name}-webhooks",
            name=f"{self._name}-webhooks",
            network=self.network.id,
            direction="INGRESS",
            allows=[{"protocol": "tcp"}],
            source_ranges=[self._settings.network.control_plane],
            target_tags=[self._name],
            opts=self.child(),
        )
