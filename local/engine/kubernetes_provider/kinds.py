"""What is known of the built-in kinds without asking a cluster: scope, and the fields that mean a new object."""

from typing import Any


def _words(text: str) -> list[str]:
    return text.split()


BUILT_IN_GROUPS = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)

CLUSTER_SCOPED = frozenset(
    _words("""
    Namespace Node PersistentVolume ComponentStatus
    ValidatingWebhookConfiguration MutatingWebhookConfiguration
    ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
    MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
    CustomResourceDefinition APIService
    TokenReview SelfSubjectReview SubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview
    CertificateSigningRequest ClusterTrustBundle
    FlowSchema PriorityLevelConfiguration StorageVersion StorageVersionMigration
    IngressClass IPAddress ServiceCIDR RuntimeClass ClusterRole ClusterRoleBinding
    DeviceClass ResourceSlice DeviceTaintRule PriorityClass
    StorageClass VolumeAttachment CSIDriver CSINode VolumeAttributesClass
    """)
)

_SELECTOR = ("spec.selector",)
_CONTAINER = _words("""
    args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext
    stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir
""")
_POD = _words("""
    affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork
    hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName
    readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName
    shareProcessNamespace subdomain terminationGracePeriodSeconds volumes
""")
_VOLUME_SOURCE = _words("""
    awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs
    hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume
""")

# By (API group, kind): what the official plugin replaces the object for.
_REPLACED_FOR: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "StatefulSet"): (
        *_SELECTOR,
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch", "Job"): (*_SELECTOR, "spec.completions", "spec.parallelism", "spec.template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolume"): tuple(f"spec.{source}" for source in _VOLUME_SOURCE),
    ("", "PersistentVolumeClaim"): (
        *_SELECTOR,
        "spec.accessModes",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("", "Pod"): (
        *(f"spec.{field}" for field in _POD),
        *(f"spec.{group}[].{field}" for group in ("containers", "initContainers") for field in _CONTAINER),
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Secret"): ("type",),
    ("", "Service"): ("spec.clusterIP",),
}


def group_of(api_version: str) -> str:
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


def is_built_in(api_version: str) -> bool:
    return group_of(api_version) in BUILT_IN_GROUPS


def scope(api_version: str, kind: str) -> bool | None:
    """True for namespaced, False for cluster-scoped, None where only the cluster can tell."""
    return kind not in CLUSTER_SCOPED if is_built_in(api_version) else None


def replaced_for(obj: dict[str, Any], *, config_map_mutable: bool, secret_mutable: bool) -> tuple[str, ...]:
    """The paths whose change makes a new object; `[]` stands for any index."""
    kind = (group_of(obj.get("apiVersion", "")), obj.get("kind", ""))
    paths = ("metadata.name", "metadata.namespace", *_REPLACED_FOR.get(kind, ()))
    if kind == ("", "Secret") and (not secret_mutable or obj.get("immutable")):
        return (*paths, "stringData", "data")
    if kind == ("", "ConfigMap") and (not config_map_mutable or obj.get("immutable")):
        return (*paths, "binaryData", "data")
    return paths


def from_type(token: str) -> tuple[str, str]:
    """apiVersion and kind of a type token such as `kubernetes:apps/v1:DeploymentPatch`."""
    _, group_version, kind = token.split(":")
    group, _, version = group_version.rpartition("/")
    return (version if group in ("", "core") else group_version), kind.removesuffix("Patch")


def is_patch(token: str, kind: str) -> bool:
    """Whether a resource type owns single fields of an object rather than the object."""
    return token.endswith("Patch") and token.rpartition(":")[2] != kind


def is_list(token: str) -> bool:
    kind = token.rpartition(":")[2]
    return kind.endswith("List") and is_built_in(from_type(token)[0])
