"""A network over three zones: nodes in private subnets, load balancers and NAT gateways in public ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import ec2

from ml_platform.component import Component
from ml_platform.settings import EksCluster


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    settings: EksCluster


class Network(Component):
    token = "ml-platform:eks:Network"  # noqa: S105 - a type token

    private: Sequence[ec2.Subnet]
    ready: Sequence[pulumi.Resource]
    """The routes, without which a node can't reach its cluster."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._name, self._settings = name, args.settings
        whole = IPv4Network(args.settings.network)
        large = list(whole.subnets(new_prefix=19))
        small = list(large[-1].subnets(new_prefix=24))
        self._vpc = ec2.Vpc(
            name,
            cidr_block=str(whole),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._tags(),
            opts=self.child(),
        )
        public = self._subnets("public", small)
        private = self._subnets("private", large)
        self.private = list(private.values())
        gateway = ec2.InternetGateway(name, vpc_id=self._vpc.id, tags=self._tags(), opts=self.child())
        public_routes = self._table("public", public, gateway_id=gateway.id)
        nats = self._nat_gateways(list(public.values()), public_routes)
        if args.settings.nat == "one":
            private_routes = self._table("private", private, nat_gateway_id=nats[0].id)
        else:
            pairs = zip(private.items(), nats, strict=True)
            tables = [self._table(part, {part: subnet}, nat_gateway_id=nat.id) for (part, subnet), nat in pairs]
            private_routes = [resource for table in tables for resource in table]
        self.ready = [*public_routes, *private_routes, self._s3_endpoint(private_routes)]
        self.register_outputs({"vpc": self._vpc.id})

    def _subnets(self, kind: str, networks: Sequence[IPv4Network]) -> dict[str, ec2.Subnet]:
        pairs = zip(self._settings.zones, networks, strict=False)
        return {f"{kind}-{zone}": self._subnet(kind, zone, network) for zone, network in pairs}

    def _subnet(self, kind: str, zone: str, network: IPv4Network) -> ec2.Subnet:
        settings = self._settings
        role = {"public": "kubernetes.io/role/elb", "private": "kubernetes.io/role/internal-elb"}[kind]
        return ec2.Subnet(
            f"{self._name}-{kind}-{zone}",
            vpc_id=self._vpc.id,
            availability_zone=f"{settings.region}{zone}",
            cidr_block=str(network),
            # Kubernetes finds the subnets for load balancers by these tags.
            tags={**self._tags(f"{kind}-{zone}"), role: "1", f"kubernetes.io/cluster/{self._name}": "shared"},
            opts=self.child(),
        )

    def _nat_gateways(self, public: Sequence[ec2.Subnet], routes: Sequence[pulumi.Resource]) -> list[ec2.NatGateway]:
        count = len(public) if self._settings.nat == "per-zone" else 1
        nats = []
        for zone, subnet in zip(self._settings.zones[:count], public, strict=False):
            name, tags = f"{self._name}-{zone}", self._tags(zone)
            address = ec2.Eip(name, domain="vpc", tags=tags, opts=self.child())
            nats.append(
                ec2.NatGateway(
                    name,
                    allocation_id=address.allocation_id,
                    subnet_id=subnet.id,
                    tags=tags,
                    opts=self.child(depends_on=routes),
                )
            )
        return nats

    def _table(
        self,
        kind: str,
        subnets: Mapping[str, ec2.Subnet],
        gateway_id: pulumi.Input[str | None] = None,
        nat_gateway_id: pulumi.Input[str | None] = None,
    ) -> list[pulumi.Resource]:
        name = f"{self._name}-{kind}"
        table = ec2.RouteTable(name, vpc_id=self._vpc.id, tags=self._tags(kind), opts=self.child())
        route = ec2.Route(
            name,
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway_id,
            nat_gateway_id=nat_gateway_id,
            opts=self.child(),
        )
        associations = [
            ec2.RouteTableAssociation(
                f"{self._name}-{part}", route_table_id=table.id, subnet_id=subnet.id, opts=self.child()
            )
            for part, subnet in subnets.items()
        ]
        return [table, route, *associations]

    def _s3_endpoint(self, private_routes: Sequence[pulumi.Resource]) -> ec2.VpcEndpoint:
        """The endpoint of S3 inside the network; through the NAT gateway, each gigabyte costs money."""
        return ec2.VpcEndpoint(
            f"{self._name}-s3",
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{self._settings.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[part.id for part in private_routes if isinstance(part, ec2.RouteTable)],
            tags=self._tags("s3"),
            opts=self.child(),
        )

    def _tags(self, part: str | None = None) -> dict[str, str]:
        return {"Name": f"{self._name}-{part}" if part else self._name}
