"""The manifests that all components have in common: parts of pod specifications, Services, Secrets, Jobs, policies.

They are plain functions from values to manifests. Pods meet the restricted pod security standard and have limits.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import pulumi

from ml_platform.configuration import Quota, Resources
from ml_platform.labels import RESTARTED_BY

USER = 65532
"""The user id of all our images."""
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""The annotation that the autoscalers of all clouds read before they remove a pod's node."""
NO_IDENTITY = "eks.amazonaws.com/skip-containers"
"""The annotation by which EKS gives the pod's identity to all containers but those that it names."""
REGISTRY = "registry-login"
"""The name of the Secret that pods pull their images with, where a login is needed."""
USER_ERROR = 3
"""The exit code of a program of ours whose user has to act: another try would end the same way."""
KEPT_BY_CLAIMS = ["spec.storageClassName"]
"""The fields of a claim that never change: another storage class in the settings applies to new volumes only."""
UNREPORTED = {"DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "RAY_USAGE_STATS_ENABLED": "0"}
"""The environment variables that switch off the usage reports of MLflow and Ray, in images of others too."""


def container(
    name: str,
    image: str,
    resources: Resources,
    *,
    env: Mapping[str, Any] | None = None,
    mounts: Mapping[str, str] | None = None,
    reads: Collection[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A container that meets the restricted standard, with a read-only root file system.

    Args:
        name: the container's.
        image: its reference.
        resources: its requests and limits.
        env: environment variables, as variables() takes them.
        mounts: the path of each volume, by the volume's name.
        reads: the volumes that it can't write to.
        more: further fields of the container.
    """
    return {
        "name": name,
        "image": image,
        "env": variables({**UNREPORTED, **(env or {})}),
        "volumeMounts": [_mount(volume, path, reads) for volume, path in (mounts or {}).items()],
        "resources": resource_sizes(resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **more,
    }


def _mount(volume: str, path: str, reads: Collection[str]) -> dict[str, Any]:
    return {"name": volume, "mountPath": path, **({"readOnly": True} if volume in reads else {})}


def resource_sizes(size: Resources) -> dict[str, Any]:
    return {
        "requests": {"cpu": size.cpu, "memory": size.memory},
        "limits": {"cpu": size.cpu_limit, "memory": size.memory_limit, **size.devices},
    }


Placement = Mapping[str, Any]
"""The fields of a pod's specification that say on which nodes it may run: nodeSelector and tolerations."""


def pod(service_account: str, containers: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """The specification of a pod that meets the restricted standard. It has a token for the Kubernetes API only if
    `more` asks for one."""
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            # Ownership is set once: at every start, it would give the group write access to the data folder, and
            # PostgreSQL refuses such a folder.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": list(containers),
        **more,
    }


def variables(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Environment variables as a list of entries; a mapping as a value becomes `valueFrom`, such as secret_key()."""
    return [
        {"name": name, "valueFrom" if isinstance(value, Mapping) else "value": value} for name, value in values.items()
    ]


def secret_key(secret: pulumi.Input[str], key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": secret, "key": key}}


def scratch(volume: str = "tmp", size: str = "256Mi") -> dict[str, Any]:
    """An emptyDir volume, which is removed with its pod."""
    return {"name": volume, "emptyDir": {"sizeLimit": size}}


def token(volume: str) -> dict[str, Any]:
    """A volume with what a pod's every container has of its service account, for those alone that mount it."""
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    sources = [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}, {"configMap": authority}]
    return {"name": volume, "projected": {"sources": sources}}


def probe(port: int, path: str | None = None, **more: Any) -> dict[str, Any]:
    """A probe each second: an HTTP request if there is a path, else a TCP connection."""
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
    """A Service for the pods with label app=<its name>. Pulumi does not wait for its endpoints, since its pods are
    declared after it; it waits for the pods."""
    marks = {"annotations": {"pulumi.com/skipAwait": "true"}}
    spec = {"selector": {"app": meta["name"]}, "ports": [{"name": "main", "port": port}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {**meta, **marks}, "spec": spec}


def secret(meta: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A Secret whose values are secret in the state as well."""
    held = {key: pulumi.Output.secret(value) for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": held}


def pulls(login: pulumi.Input[str] | None) -> dict[str, Any]:
    """The imagePullSecrets of a service account whose pods pull images with that login; none without a login."""
    return {} if login is None else {"imagePullSecrets": [{"name": REGISTRY}]}


def registry_login(namespace: str, labels: Mapping[str, str], login: pulumi.Input[str]) -> dict[str, Any]:
    """The Secret with the login, for one namespace."""
    made = secret(metadata(REGISTRY, namespace, labels), {".dockerconfigjson": login})
    return {**made, "type": "kubernetes.io/dockerconfigjson"}


def quota(meta: Mapping[str, Any], settings: Quota) -> dict[str, Any]:
    hard = {"limits.cpu": settings.cpu, "limits.memory": settings.memory, "pods": str(settings.pods)}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}


def metadata(name: str, namespace: str, labels: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": {"app": name, **labels}, **more}


def digest(*values: Any) -> str:
    """Eight characters that change with any of the values, for the names of objects that are never edited in place."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]


def restarted_by(mark: pulumi.Input[str]) -> dict[str, Any]:
    """Pod annotations that restart a workload's pods when `mark` changes. The mark is a digest of configuration that
    pods read only at their start, or the fingerprint of secrets."""
    return {"annotations": {RESTARTED_BY: mark}}


def claim(
    meta: Mapping[str, Any], size: str, storage_class: pulumi.Input[str | None], access: str = "ReadWriteOnce"
) -> dict[str, Any]:
    """A claim of a persistent volume, which without `access` one node at a time may write to."""
    chosen = {} if storage_class is None else {"storageClassName": storage_class}
    spec = {"accessModes": [access], "resources": {"requests": {"storage": size}}, **chosen}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def claimed(volume: str, claim: str) -> dict[str, Any]:
    """The volume `volume` of a pod, which is the persistent volume of `claim`."""
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
    """A Job that is never edited, since its name ends in `run`.

    It stays when it is done: the next refresh would take a vanished resource for drift and run it again. The autoscaler
    keeps its node while it runs. It fails at once where its first container ends with USER_ERROR. Where `awaited`, the
    engine waits for the Job, and the next update runs a failed or interrupted one again; so its work must be safe to do
    twice.
    """
    marks = {"annotations": {"pulumi.com/replaceUnready": "true"}} if awaited else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata(f"{name}-{run}", namespace, labels, **marks), "labels": {"app": name, **labels}},
        "spec": job_spec(name, spec, retries=retries, deadline=deadline),
    }


def job_spec(
    app: str,
    pod_spec: Mapping[str, Any],
    *,
    retries: int,
    deadline: int,
    rules: Sequence[Mapping[str, Any]] = (),
    marks: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The specification of a Job whose pods have the label app=`app`, and these marks as annotations. It fails at once
    where its first container ends with USER_ERROR, and by these further rules."""
    return {
        "backoffLimit": retries,
        "activeDeadlineSeconds": deadline,
        "podFailurePolicy": {"rules": [fails_at(pod_spec["containers"][0]["name"], "In", [USER_ERROR]), *rules]},
        "template": {
            "metadata": {"labels": {"app": app}, "annotations": {SAFE_TO_EVICT: "false", **(marks or {})}},
            "spec": {"restartPolicy": "Never", **pod_spec},
        },
    }


def fails_at(container: str, operator: Literal["In", "NotIn"], codes: Sequence[int]) -> dict[str, Any]:
    """The rule of a Job that fails at once where the container ends with one of these codes, or with another one."""
    return {
        "action": "FailJob",
        "onExitCodes": {"containerName": container, "operator": operator, "values": list(codes)},
    }
