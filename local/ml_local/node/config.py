"""The files that the daemons read at start. Owns their text; `daemons.py` owns who reads which."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ml_local import debian
from ml_local.node import layout as names
from ml_local.node.layout import Layout
from ml_local.private import write_private

PAUSE_IMAGE = f"{names.REGISTRY}/pause:1"


def write(layout: Layout) -> None:
    """Write all of them."""
    folder = layout.config
    write_private(folder / "kubelet.yaml", yaml.safe_dump(_kubelet(layout)))
    write_private(folder / "kube-proxy.yaml", yaml.safe_dump(_kube_proxy(layout)))
    write_private(folder / "containerd.toml", _containerd(layout))
    write_private(folder / "Corefile", _corefile(layout))
    write_private(folder / "registry.yaml", yaml.safe_dump(_registry(layout)))
    # Pods resolve names through the node's DNS only; nothing of theirs may ask the machine's resolvers.
    write_private(folder / "resolv.conf", f"nameserver {names.ADDRESS}\n")
    write_private(folder / "cni" / "10-ml-platform.conflist", json.dumps(_pod_network(layout), indent=2))
    write_private(folder / "certs.d" / names.REGISTRY / "hosts.toml", _trust(layout))


def _kubelet(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": names.ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{names.CGROUP}",
        "clusterDNS": [names.ADDRESS],
        "clusterDomain": names.CLUSTER_DOMAIN,
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "containerLogMaxSize": "10Mi",
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "2%", "imagefs.available": "2%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "healthzBindAddress": names.LOOPBACK,
        # Collected images could not be pulled again from anywhere but this node's own registry, on the same disk.
        "imageGCHighThresholdPercent": 100,
        # Marks in the host's tables for others to find; nobody here looks for them.
        "makeIPTablesUtilChains": False,
        "maxParallelImagePulls": 3,
        "serializeImagePulls": False,
        "oomScoreAdj": 0,
        "podLogsDir": str(layout.logs / "pods"),
        "readOnlyPort": 0,
        "registryPullQPS": 0,
        "resolvConf": str(layout.config / "resolv.conf"),
        "rotateCertificates": False,
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "volumePluginDir": str(layout.run / "volume-plugins"),
    }


def _kube_proxy(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": names.ADDRESS,
        "clientConnection": {"kubeconfig": str(layout.kubeconfig("kube-proxy"))},
        "clusterCIDR": names.POD_RANGE,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": f"{names.LOOPBACK}:{names.PORTS['kube-proxy'][1]}",
        "hostnameOverride": names.NAME,
        "metricsBindAddress": f"{names.LOOPBACK}:{names.PORTS['kube-proxy-metrics'][1]}",
        "mode": "nftables",
        # Services of this node are for this machine: no node port on the machine's own addresses.
        "nodePortAddresses": [f"{names.ADDRESS}/32"],
        "oomScoreAdj": 0,
    }


def _containerd(layout: Layout) -> str:
    plugins = debian.root() / "root" / "usr" / "lib" / "cni"
    return f"""version = 2
root = "{layout.data / "containerd"}"
state = "{layout.run / "containerd"}"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{layout.containerd_socket}"
[ttrpc]
  address = "{layout.containerd_socket}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # A machine whose root lacks CAP_SYS_RESOURCE can't lower scores; unrestricted, no sandbox would start there.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "{names.LOOPBACK}"
  stream_server_port = "0"
  max_concurrent_downloads = 6
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{layout.config / "certs.d"}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    # The layers are kept by the registry already; once unpacked they need not be kept a second time.
    discard_unpacked_layers = true
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "{debian.root() / "bin" / "runc"}"
        Root = "{layout.run / "runc"}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{layout.config / "cni"}"
"""


def _trust(layout: Layout) -> str:
    """How containerd reaches the registry; before 1.7 it reads this only inside of a host's table."""
    client = [str(layout.pki / f"registry-client.{kind}") for kind in ("crt", "key")]
    return f"""[host."https://{names.REGISTRY}"]
capabilities = ["pull", "resolve"]
ca = "{layout.pki / "registry-ca.crt"}"
client = [{json.dumps(client)}]
"""


def _pod_network(layout: Layout) -> dict[str, Any]:
    addresses = {"subnet": names.POD_RANGE, "rangeStart": names.POD_RANGE_START, "gateway": names.ADDRESS}
    ipam = {"type": "host-local", "dataDir": str(layout.run / "addresses"), "ranges": [[addresses]]}
    bridge = {
        "type": "bridge",
        "bridge": names.BRIDGE,
        # The node gave the bridge its address; as the plugin's gateway it would make the whole machine a router.
        "isGateway": False,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {**ipam, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    return {"cniVersion": "0.4.0", "name": names.NETWORK, "plugins": [bridge, ports]}


def _corefile(layout: Layout) -> str:
    host, port = names.PORTS["coredns-health"]
    # The catch-all is a server block of its own: in one block with `kubernetes` it would answer first.
    return f"""{names.CLUSTER_DOMAIN} in-addr.arpa {{
  bind {names.ADDRESS}
  errors
  ready {host}:{port}
  kubernetes {names.CLUSTER_DOMAIN} in-addr.arpa {{
    kubeconfig {layout.kubeconfig("coredns")}
    ttl 5
  }}
}}
. {{
  bind {names.ADDRESS}
  template ANY ANY {{
    rcode NXDOMAIN
  }}
}}
"""


def _registry(layout: Layout) -> dict[str, Any]:
    """Whoever asks it for anything shows a certificate of its own authority."""
    tls = {
        "certificate": str(layout.pki / "registry.crt"),
        "key": str(layout.pki / "registry.key"),
        "clientcas": [str(layout.pki / "registry-ca.crt")],
    }
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(layout.data / "registry")}},
        "http": {"addr": names.REGISTRY, "tls": tls},
    }
