"""The command line of each daemon, in the order in which they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ml_local import debian, toolchains
from ml_local.node import keeper
from ml_local.node import layout as names
from ml_local.node.daemons import Daemon, healthy, listening, listening_at
from ml_local.node.layout import Layout
from ml_local.node.pki import client_context

# Memory for processor time: the collector of Go runs earlier. Measured by `make bench`. Not the API server: it took
# 1.4 times as long to remove CRDs.
LEAN = {"GOGC": "50"}


def infrastructure(layout: Layout) -> list[Daemon]:
    """What needs no API server: the database, the image registry, the container runtime."""
    return [_etcd(layout), _registry(layout), _containerd(layout)]


def control_plane(layout: Layout) -> list[Daemon]:
    """The API server and, after it, what works through it."""
    return [
        _controller_manager(layout),
        _scheduler(layout),
        _coredns(layout),
        _kubelet(layout),
        _kube_proxy(layout),
    ]


def api_server(layout: Layout) -> Daemon:
    """The API server; its first start also makes the bootstrap roles."""
    pki = layout.pki
    flags = {
        "advertise-address": names.ADDRESS,
        "allow-privileged": "true",
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "bind-address": names.ADDRESS,
        "client-ca-file": pki / "ca.crt",
        "enable-admission-plugins": "NodeRestriction",
        "etcd-cafile": pki / "etcd-ca.crt",
        "etcd-certfile": pki / "apiserver-etcd.crt",
        "etcd-keyfile": pki / "apiserver-etcd.key",
        "etcd-servers": names.ETCD_URL,
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / "apiserver-kubelet.crt",
        "kubelet-client-key": pki / "apiserver-kubelet.key",
        "kubelet-preferred-address-types": "InternalIP",
        "profiling": "false",
        "secure-port": names.PORTS["kube-apiserver"][1],
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-account.pub",
        "service-account-signing-key-file": pki / "service-account.key",
        "service-cluster-ip-range": names.SERVICE_RANGE,
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
    }
    ready = f"{names.API_URL}/readyz"
    return _daemon(layout, "kube-apiserver", flags, lambda: healthy(ready, client_context(pki, "admin")))


def _etcd(layout: Layout) -> Daemon:
    pki = layout.pki
    peer = "https://{}:{}".format(*names.PORTS["etcd-peer"])
    flags = {
        "advertise-client-urls": names.ETCD_URL,
        "auto-compaction-retention": "1h",
        "cert-file": pki / "etcd.crt",
        "client-cert-auth": "true",
        "data-dir": layout.data / "etcd",
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "key-file": pki / "etcd.key",
        "listen-client-urls": names.ETCD_URL,
        "listen-peer-urls": peer,
        "log-level": "warn",
        "peer-cert-file": pki / "etcd.crt",
        "peer-client-cert-auth": "true",
        "peer-key-file": pki / "etcd.key",
        "peer-trusted-ca-file": pki / "etcd-ca.crt",
        "snapshot-count": "5000",
        "trusted-ca-file": pki / "etcd-ca.crt",
    }
    ready = f"{names.ETCD_URL}/health"
    return _daemon(layout, "etcd", flags, lambda: healthy(ready, client_context(pki, "apiserver-etcd")), env=LEAN)


def _registry(layout: Layout) -> Daemon:
    config = layout.config / "registry.yaml"
    argv = [str(debian.command("docker-registry")), "serve", str(config)]
    reads = [config, *(layout.pki / name for name in ("registry-ca.crt", "registry.crt", "registry.key"))]
    address = names.PORTS["registry"]
    return Daemon(name="registry", argv=argv, reads=reads, env=LEAN, ready=lambda: listening(*address))


def _containerd(layout: Layout) -> Daemon:
    config = layout.config / "containerd.toml"
    argv = [*keeper.inside(layout), str(debian.command("containerd")), "--config", str(config)]
    socket = layout.containerd_socket
    return Daemon(name="containerd", argv=argv, reads=[config], ready=lambda: listening_at(socket))


def _controller_manager(layout: Layout) -> Daemon:
    kubeconfig = layout.kubeconfig("controller-manager")
    flags = {
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": names.LOOPBACK,
        "cluster-signing-cert-file": layout.pki / "ca.crt",
        "cluster-signing-key-file": layout.pki / "ca.key",
        # Its default of 20 requests a second is what a removal of many objects waits for.
        "kube-api-burst": "200",
        "kube-api-qps": "100",
        "kubeconfig": kubeconfig,
        "leader-elect": "false",
        "profiling": "false",
        "root-ca-file": layout.pki / "ca.crt",
        "service-account-private-key-file": layout.pki / "service-account.key",
        "tls-cert-file": layout.pki / "controller-manager.crt",
        "tls-private-key-file": layout.pki / "controller-manager.key",
        "use-service-account-credentials": "true",
    }
    address = names.PORTS["kube-controller-manager"]
    return _daemon(layout, "kube-controller-manager", flags, lambda: listening(*address), env=LEAN)


def _scheduler(layout: Layout) -> Daemon:
    kubeconfig = layout.kubeconfig("scheduler")
    flags = {
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": names.LOOPBACK,
        "kubeconfig": kubeconfig,
        "leader-elect": "false",
        "profiling": "false",
        "tls-cert-file": layout.pki / "scheduler.crt",
        "tls-private-key-file": layout.pki / "scheduler.key",
    }
    address = names.PORTS["kube-scheduler"]
    return _daemon(layout, "kube-scheduler", flags, lambda: listening(*address), env=LEAN)


def _coredns(layout: Layout) -> Daemon:
    config = layout.config / "Corefile"
    argv = [str(toolchains.binary("coredns")), "-conf", str(config)]
    host, port = names.PORTS["coredns-health"]
    return Daemon(
        name="coredns",
        argv=argv,
        env=LEAN,
        reads=[config, layout.kubeconfig("coredns")],
        ready=lambda: listening(host, port),
    )


def _kubelet(layout: Layout) -> Daemon:
    config, kubeconfig = layout.config / "kubelet.yaml", layout.kubeconfig("kubelet")
    flags = {
        "cert-dir": layout.pki,
        "config": config,
        "hostname-override": names.NAME,
        "kubeconfig": kubeconfig,
        "node-ip": names.ADDRESS,
        "root-dir": layout.data / "kubelet",
    }
    argv = [*keeper.inside(layout), *_argv("kubelet", flags)]
    reads = [config, kubeconfig, *(layout.pki / name for name in ("ca.crt", "kubelet.crt", "kubelet.key"))]
    address = names.PORTS["kubelet"]
    return Daemon(name="kubelet", argv=argv, env=LEAN, reads=reads, ready=lambda: listening(*address))


def _kube_proxy(layout: Layout) -> Daemon:
    flags = {"config": layout.config / "kube-proxy.yaml"}
    address = names.PORTS["kube-proxy"]
    reads = [layout.kubeconfig("kube-proxy")]
    # With the machine's commands it would load `ip_vs` at its start and remove all virtual servers of the host.
    env = {**LEAN, "PATH": str(debian.root() / "bin")}
    return _daemon(layout, "kube-proxy", flags, lambda: listening(*address), env=env, reads=reads)


def _daemon(
    layout: Layout,
    name: str,
    flags: Mapping[str, object],
    ready: Callable[[], bool],
    *,
    env: Mapping[str, str] | None = None,
    reads: Sequence[Path] = (),
) -> Daemon:
    """A command by its flags. What they name in the folders of certificates and settings is read at its start."""
    named = [value for value in flags.values() if isinstance(value, Path)]
    read = [path for path in named if path.parent in (layout.pki, layout.config)]
    return Daemon(name=name, argv=_argv(name, flags), ready=ready, env=env or {}, reads=[*read, *reads])


def _argv(command: str, flags: Mapping[str, object]) -> list[str]:
    return [str(toolchains.binary(command)), *(f"--{name}={value}" for name, value in flags.items())]
