"""Containers keep to the Pod Security Standard `restricted`."""

from collections.abc import Callable, Iterator
from typing import Any

from ml_policies.engine.policy import NoParameters, ResourcePolicy
from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import Container, Pod, pods

ADDED = frozenset({"NET_BIND_SERVICE"})
PROFILES = frozenset({"RuntimeDefault", "Localhost"})
LABELS = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
    }
)  # fmt: skip
VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
Problems = Iterator[tuple[str, str]]


def _own(container: Container) -> Problems:
    escalates = container.context.get("allowPrivilegeEscalation")
    if escalates or (escalates is None and not container.partial and not _windows(container.pod)):
        yield "may gain more rights than its parent", "allowPrivilegeEscalation: false"
    if container.context.get("procMount") not in (None, "Default"):
        yield "sees all of /proc", "procMount: Default"


def _capabilities(container: Container) -> Problems:
    capabilities = container.context.get("capabilities") or {}
    left_out = "drop" not in capabilities and (container.partial or _windows(container.pod))
    if "ALL" not in (capabilities.get("drop") or []) and not left_out:
        yield "keeps capabilities of root", "capabilities: {drop: [ALL]}"
    if added := sorted(set(capabilities.get("add") or []) - ADDED):
        yield f"adds capability {', '.join(added)}", "no added capability"


def _user(container: Container) -> Problems:
    named = _either(container, "runAsNonRoot")
    if named is False or (named is None and not container.partial):
        yield "may run as root", "runAsNonRoot: true"


def _number(container: Container) -> Problems:
    if _either(container, "runAsUser") == 0:
        yield "runs as user 0", "another runAsUser"


def _seccomp(container: Container) -> Problems:
    profile = (_either(container, "seccompProfile") or {}).get("type")
    left_out = profile is None and (container.partial or _windows(container.pod))
    if profile not in PROFILES and not left_out:
        yield "may make any system call", "seccompProfile: {type: RuntimeDefault}"


def _labels(container: Container) -> Problems:
    yield from _confined(_either(container, "seLinuxOptions"), _either(container, "appArmorProfile"))


def _probes(container: Container) -> Problems:
    """What the kubelet calls from the node, where it says which host."""
    hooks = container.spec.get("lifecycle") or {}
    calls = [container.spec.get(each) for each in PROBES] + [hooks.get(each) for each in ("postStart", "preStop")]
    if any((call.get(way) or {}).get("host") for call in calls if call for way in ("httpGet", "tcpSocket")):
        yield "makes its node call another host", "no host in its probes and lifecycle"


def _confined(labels: Any, profile: Any) -> Problems:
    options = labels or {}
    if options.get("type", "") not in LABELS or options.get("user") or options.get("role"):
        yield "leaves the labels of containers", "no seLinuxOptions"
    if (profile or {}).get("type", "RuntimeDefault") not in PROFILES:
        yield "is not confined by AppArmor", "appArmorProfile: {type: RuntimeDefault}"


def _defaults(pod: Pod) -> Iterator[str]:
    """What the pod says for all of its containers counts even where each says otherwise."""
    found = list(_confined(pod.context.get("seLinuxOptions"), pod.context.get("appArmorProfile")))
    if pod.context.get("runAsNonRoot") is False:
        found.append(("may run as root", "runAsNonRoot: true"))
    if pod.context.get("runAsUser") == 0:
        found.append(("runs as user 0", "another runAsUser"))
    if (pod.context.get("seccompProfile") or {}).get("type", "RuntimeDefault") not in PROFILES:
        found.append(("may make any system call", "seccompProfile: {type: RuntimeDefault}"))
    yield from (f"its pod {problem}; set {remedy} in the pod's securityContext" for problem, remedy in found)
    annotations = pod.metadata.get("annotations") or {}
    for key in (each for each in annotations if each.startswith(APPARMOR)):
        if not str(annotations[key]).startswith(("runtime/default", "localhost/")):
            yield f"annotation {key} takes AppArmor from a container; drop it"


def _sysctls(pod: Pod) -> Iterator[str]:
    for each in pod.context.get("sysctls") or []:
        if each.get("name") not in SYSCTLS:
            yield f"sysctl {each.get('name')} is of the whole node; drop it from the pod's securityContext"


def _volumes(pod: Pod) -> Iterator[str]:
    for name, volume in pod.volumes:
        if strange := sorted(set(volume) - VOLUMES - {"name"}):
            yield f"volume {name} is of type {', '.join(strange)}, which goes round storage classes; claim it instead"


def _windows(pod: Pod) -> bool:
    """Which has no such rights to give up."""
    return (pod.spec.get("os") or {}).get("name") == "windows"


def _either(container: Container, field: str) -> Any:
    """Of its own context, else of its pod's."""
    return container.context.get(field) if field in container.context else container.pod.context.get(field)


OF_CONTAINERS = (_own, _capabilities, _user, _number, _seccomp, _labels, _probes)
OF_PODS = (_defaults, _sysctls, _volumes)
Part = tuple[Callable[[Any], Iterator[Any]], Pod | Container]


def said(resource: Resource) -> Iterator[Part]:
    """Each rule for each pod and container by itself, so that an unknown value hides no other."""
    for pod in pods(resource):
        yield from ((rule, pod) for rule in OF_PODS)
        for container in pod.containers:
            yield from ((rule, container) for rule in OF_CONTAINERS)


def check(part: Part, _: NoParameters) -> Iterator[str]:
    rule, holder = part
    if isinstance(holder, Pod):
        yield from rule(holder)
        return
    for problem, remedy in rule(holder):
        yield f"{holder.name} {problem}; set {remedy} in its securityContext"


POLICY = ResourcePolicy(
    name="restricted-pods",
    asks="Every container keeps to the Pod Security Standard `restricted`.",
    why="A container that is broken into is then a process without rights, and stays one.",
    of=said,
    check=check,
    example="""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: models}
spec: {template: {spec: {containers: [{name: web, image: registry.example.com/web}]}}}
""",
)
