"""The parts of pod specifications that every workload of ours has in common: restricted, sized, without surprises.

Plain functions from values to manifests. They decide nothing that differs between components.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform.configuration import Quota, Resources
from ml_platform.labels import RESTARTED_BY, WORKLOADS

USER = 65532
"""The user of all our images."""
"""Marks namespaces whose pods may talk to the platform's services."""
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""What the autoscalers of all clouds ask of a pod before they take its node away."""
REGISTRY = "registry-login"
"""The Secret that pods pull their images with, where a login is needed."""
KEPT_BY_CLAIMS = ["spec.storageClassName"]
"""What a volume keeps for good: another class is that of volumes to come."""
UNREPORTED = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "RAY_USAGE_STATS_ENABLED": "0"}
"""What keeps MLflow, its pages and Ray from reporting to their makers, in images of others as well."""


def container(
    name: str,
    image: str,
    resources: Resources,
    *,
    env: Mapping[str, Any] | None = None,
    mounts: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A container under the restricted standard, its root read-only. `env` as variables(), `mounts` path by volume."""
    return {
        "name": name,
        "image": image,
        "env": variables({**UNREPORTED, **(env or {})}),
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in (mounts or {}).items()],
        "resources": resource_sizes(resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **more,
    }


def resource_sizes(size: Resources) -> dict[str, Any]:
    return {
        "requests": {"cpu": size.cpu, "memory": size.memory},
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit},
    }


Placement = Mapping[str, Any]
"""What of a pod's specification says on which nodes it may run."""


def pod(service_account: str, containers: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A pod under the restricted standard, without a token for the Kubernetes API unless `more` asks for one."""
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            # Once, not at every start: a database refuses folders that its group may write to.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": list(containers),
        **more,
    }


def variables(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Environment variables; a dict as a value is a source, such as secret_key()."""
    return [
        {"name": name, "valueFrom" if isinstance(value, Mapping) else "value": value} for name, value in values.items()
    ]


def secret_key(secret: str, key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": secret, "key": key}}


def scratch(volume: str = "tmp", size: str = "256Mi") -> dict[str, Any]:
    """A volume that lives and dies with its pod."""
    return {"name": volume, "emptyDir": {"sizeLimit": size}}


def probe(port: int, path: str | None = None, **more: Any) -> dict[str, Any]:
    """A check each second: HTTP if there is a path, else a TCP connection."""
    action = {"httpGet": {"path": path, "port": port}} if path else {"tcpSocket": {"port": port}}
    return {**action, "periodSeconds": 1, "timeoutSeconds": 5, **more}


def service_account(
    name: str, namespace: str, labels: Mapping[str, str], pulls: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(name, namespace, labels),
        "automountServiceAccountToken": False,
        **(pulls or {}),
    }


def service(meta: Mapping[str, Any], port: int, **more: Any) -> dict[str, Any]:
    """In front of the pods with label app=<its name>. Not waited for: its pods come after it, and are."""
    marks = {"annotations": {"pulumi.com/skipAwait": "true"}}
    spec = {"selector": {"app": meta["name"]}, "ports": [{"name": "main", "port": port}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {**meta, **marks}, "spec": spec}


def secret(meta: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": dict(values)}


def pulls(login: pulumi.Input[str] | None) -> dict[str, Any]:
    """What service accounts have whose pods pull images with that login."""
    return {} if login is None else {"imagePullSecrets": [{"name": REGISTRY}]}


def registry_login(namespace: str, labels: Mapping[str, str], login: pulumi.Input[str]) -> dict[str, Any]:
    """The login itself, for one namespace."""
    made = secret(metadata(REGISTRY, namespace, labels), {".dockerconfigjson": login})
    return {**made, "type": "kubernetes.io/dockerconfigjson"}


def ingress_from(
    name: str, namespace: str, labels: Mapping[str, str], port: int, sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A NetworkPolicy: pods with label app=`name` are reached on `port` by `sources`, and by nobody else."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, namespace, labels),
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": list(sources), "ports": [{"port": port}]}],
        },
    }


def closed(meta: Mapping[str, Any], sources: pulumi.Input[Sequence[Mapping[str, Any]]] = ()) -> dict[str, Any]:
    """A NetworkPolicy: pods of its namespace are reached by one another and by `sources`, and by nobody else."""
    peers = pulumi.Output.from_input(sources).apply(lambda others: [*others, {"podSelector": {}}])
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]},
    }


def quota(meta: Mapping[str, Any], settings: Quota) -> dict[str, Any]:
    hard = {"limits.cpu": settings.cpu, "limits.memory": settings.memory, "pods": str(settings.pods)}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}


def from_namespace(name: pulumi.Input[str]) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def from_workloads() -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {WORKLOADS: "true"}}}


def metadata(name: str, namespace: str, labels: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {"app": name, **labels}, **more}


def digest(*values: Any) -> str:
    """Eight characters that change with any of the values: for names of what is never edited in place."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]


def restarted_by(mark: pulumi.Input[str]) -> dict[str, Any]:
    """Pod annotations that roll a workload when the mark changes: the digest of what its pods read at their start
    alone, or the fingerprint of secrets."""
    return {"annotations": {RESTARTED_BY: mark}}


def claim(meta: Mapping[str, Any], size: str, storage_class: str | None) -> dict[str, Any]:
    """A volume that one pod writes to, and that outlives it."""
    chosen = {"storageClassName": storage_class} if storage_class else {}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **chosen}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def claimed(volume: str, claim: str) -> dict[str, Any]:
    """The volume of that claim."""
    return {"name": volume, "persistentVolumeClaim": {"claimName": claim}}


def job(
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    spec: Mapping[str, Any],
    *,
    run: str,
    retries: int = 3,
    deadline: int = 600,
    awaited: bool = True,
) -> dict[str, Any]:
    """A Job that is never edited: `run` is part of its name. It stays when done, since a resource that vanishes by
    itself would be run again. Until then its node stays as well, however little else is on it. Where the engine itself
    waits for it, the next update runs one again that has failed or was cut short: what it does may be done twice."""
    marks = {"annotations": {"pulumi.com/replaceUnready": "true"}} if awaited else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata(f"{name}-{run}", namespace, labels, **marks), "labels": {"app": name, **labels}},
        "spec": {
            "backoffLimit": retries,
            "activeDeadlineSeconds": deadline,
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": {SAFE_TO_EVICT: "false"}},
                "spec": {"restartPolicy": "Never", **spec},
            },
        },
    }
