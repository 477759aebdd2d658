"""Names, addresses, ports and folders of the node. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ml_local import paths

NAME = "node-1"
BRIDGE = "ml-platform0"
CGROUP = "ml-platform"
FIREWALL = "ml_platform"
NETWORK = "ml-platform"  # of the pods, by which plugins name what is theirs

ADDRESS = "10.98.0.1"
POD_RANGE = "10.98.0.0/24"
POD_RANGE_START = "10.98.0.20"
SERVICE_RANGE = "10.99.0.0/24"
API_SERVICE_ADDRESS = "10.99.0.1"
LOOPBACK = "127.0.0.1"
CLUSTER_DOMAIN = "cluster.local"

API_URL = f"https://{ADDRESS}:6443"
ETCD_URL = f"https://{LOOPBACK}:2379"
REGISTRY = f"{ADDRESS}:5000"
# In the order of their start.
DAEMONS = (
    "etcd", "registry", "containerd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "coredns",
    "kubelet", "kube-proxy",
)  # fmt: skip
# Who listens where; checked before the first start, so that a taken port has a name.
PORTS = {
    "etcd": (LOOPBACK, 2379),
    "etcd-peer": (LOOPBACK, 2380),
    "kube-apiserver": (ADDRESS, 6443),
    "kube-controller-manager": (LOOPBACK, 10257),
    "kube-scheduler": (LOOPBACK, 10259),
    "kubelet": (ADDRESS, 10250),
    "kubelet-healthz": (LOOPBACK, 10248),
    "kube-proxy": (LOOPBACK, 10256),
    "kube-proxy-metrics": (LOOPBACK, 10249),
    "coredns": (ADDRESS, 53),
    "coredns-health": (LOOPBACK, 10053),
    "registry": (ADDRESS, 5000),
}
DATAGRAM_PORTS = {"coredns": (ADDRESS, 53)}


@dataclass(frozen=True)
class Layout:
    """The folders of one node."""

    state: Path

    @property
    def pki(self) -> Path:
        """Certificates and keys; only root may enter."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """What the daemons read at start; written anew at each start."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """One file a daemon."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """What is meaningless after a reboot: process records, sockets, what the host looked like before."""
        return self.state / "run"

    @property
    def data(self) -> Path:
        """What survives `make stop`: etcd, images, volumes, the registry."""
        return self.state / "data"

    @property
    def admin_kubeconfig(self) -> Path:
        """For the user; a client certificate in the group system:masters."""
        return self.state / "admin.kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """The container runtime's address."""
        return self.run / "containerd.sock"

    def kubeconfig(self, user: str) -> Path:
        """For one daemon."""
        return self.config / f"{user}.kubeconfig"


def layout() -> Layout:
    """The layout in the state folder of this machine."""
    return Layout(paths.state())
