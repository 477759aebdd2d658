"""The files that the daemons read at start. Owns their text; `daemons.py` owns who reads which."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ml_local import debian
from ml_local.node import layout as names
from ml_local.node.layout import Layout

PAUSE_IMAGE = f"{names.REGISTRY}/pause:1"


def write(layout: Layout) -> None:
    """Write all of them."""
    layout.config.mkdir(parents=True, exist_ok=True, mode=0o700)
    (layout.config / "kubelet.yaml").write_text(yaml.safe_dump(_kubelet(layout)))
    (layout.config / "kube-proxy.yaml").write_text(yaml.safe_dump(_kube_proxy(layout)))
    (layout.config / "containerd.toml").write_text(_containerd(layout))
    (layout.config / "Corefile").write_text(_corefile(layout))
    (layout.config / "registry.yaml").write_text(yaml.safe_dump(_registry(layout)))
    # Pods resolve names through the node's DNS only; nothing of theirs may ask the machine's resolvers.
    (layout.config / "resolv.conf").write_text(f"nameserver {names.ADDRESS}\n")
    network = layout.config / "cni"
    network.mkdir(exist_ok=True)
    (network / "10-ml-platform.conflist").write_text(json.dumps(_pod_network(layout), indent=2))
    trust = layout.config / "certs.d" / names.REGISTRY
    trust.mkdir(parents=True, exist_ok=True)
    # containerd before 1.7 reads the trust only inside of a host's table.
    (trust / "hosts.toml").write_text(
        f'[host."https://{names.REGISTRY}"]\ncapabilities = ["pull", "resolve"]\nca = "{layout.pki / "ca.crt"}"\n'
    )


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


def _pod_network(layout: Layout) -> dict[str, Any]:
    addresses = {"subnet": names.POD_RANGE, "rangeStart": names.POD_RANGE_START, "gateway": names.ADDRESS}
    bridge = {
        "type": "bridge",
        "bridge": names.BRIDGE,
        "isGateway": True,
        "isDefaultGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "dataDir": str(layout.run / "addresses"), "ranges": [[addresses]]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    return {"cniVersion": "0.4.0", "name": "ml-platform", "plugins": [bridge, ports]}


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
    return {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(layout.data / "registry")},
            "delete": {"enabled": True},
        },
        "http": {
            "addr": names.REGISTRY,
            "tls": {"certificate": str(layout.pki / "registry.crt"), "key": str(layout.pki / "registry.key")},
        },
    }
