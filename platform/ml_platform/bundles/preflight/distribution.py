"""Which Kubernetes distribution for one machine a cluster is, recognised by its nodes, and the advice for each.

The commands of an advice, run in their order, lead to settings that are accepted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ml_platform.kube import Client, Object

NODES = 10  # a few are enough: the nodes of a cluster are mostly of one kind
ASSUMED = "pulumi config set --path 'ml-platform:cluster.load_balancer.assumed' true"
_OF_K3D = re.compile(r"k3d-(?P<cluster>.+)-(server|agent)-\d+")
_PROFILE = "minikube.k8s.io/name"


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """A Kubernetes distribution for a machine of one's own."""

    name: Literal["k3d", "k3s", "kind", "minikube"]
    cluster: str = ""
    """The cluster's name for the distribution's own command; empty where the nodes do not show it."""

    @property
    def load_balancer(self) -> str | None:
        """The advice on how a Service gets an address. k3s and k3d need none: they give addresses themselves."""
        match self.name:
            case "kind":
                return (
                    "On kind, cloud-provider-kind gives addresses: install it with `go install "
                    "sigs.k8s.io/cloud-provider-kind@latest`, let `cloud-provider-kind` run in another terminal for as "
                    "long as you use the cluster, and say that it does, since nothing on the cluster shows it: "
                    f"{ASSUMED}"
                )
            case "minikube":
                return (
                    f"On minikube, let `minikube tunnel -p {self.cluster}` run in another terminal for as long as you "
                    f"use the cluster, and say that it does, since nothing on the cluster shows it: {ASSUMED}"
                )
        return None

    @property
    def without_traefik(self) -> str | None:
        """The advice on how to run k3s or k3d without its Traefik, which has the IngressClass and ports 80 and 443."""
        match self.name:
            case "k3d":
                return (
                    f"It is the Traefik that k3d brings along. Make the cluster again without it: k3d cluster delete "
                    f"{self.cluster} && k3d cluster create {self.cluster} --k3s-arg '--disable=traefik@server:*' "
                    "-p '80:80@loadbalancer' -p '443:443@loadbalancer'"
                )
            case "k3s":
                return (
                    "It is the Traefik that k3s brings along. On each server, write the line `disable: [traefik]` into "
                    "/etc/rancher/k3s/config.yaml, then: systemctl restart k3s"
                )
        return None


def nodes(client: Client) -> list[Object]:
    """The first NODES nodes of the cluster."""
    found: list[Object] = client.request("GET", "/api/v1/nodes", params={"limit": str(NODES)})["items"]
    return found


def recognised(nodes: Sequence[Object]) -> Distribution | None:
    """The distribution that the nodes are of; None for one that needs no advice of its own."""
    for node in nodes:
        metadata = node.get("metadata") or {}
        name, labels = metadata.get("name", ""), metadata.get("labels") or {}
        scheme = ((node.get("spec") or {}).get("providerID") or "").partition(":")[0]
        if scheme == "kind":
            return Distribution(name="kind")
        if scheme == "k3s":
            of_k3d = _OF_K3D.fullmatch(name)
            return Distribution(name="k3d", cluster=of_k3d["cluster"]) if of_k3d else Distribution(name="k3s")
        if _PROFILE in labels:
            return Distribution(name="minikube", cluster=labels[_PROFILE])
    return None
