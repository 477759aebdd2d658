"""Profiles of Kubeflow: the controller that gives people their rights, and a namespace for each profile.

The namespaces are this component's own, with the name of their owner on them, which the controller asks for before it
takes one over. So a profile never becomes one of somebody else's namespaces, and each has a quota and a network policy.
"""

from collections.abc import Mapping
from typing import Any

import pulumi

from ml_platform import network, pods
from ml_platform.components.foreign import Foreign
from ml_platform.components.kubeflow import NAMESPACE, Kubeflow
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.labels import WORKLOADS
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.settings.kubeflow import ProfileSettings
from ml_platform.settings.platform import PlatformSettings

LABELS = {
    "app.kubernetes.io/part-of": "kubeflow-profile",
    # With the label, neither a namespace nor a pod gets a sidecar, which the pod security standard would refuse.
    "istio-injection": "disabled",
    "katib.kubeflow.org/metrics-collector-injection": "enabled",
    "pipelines.kubeflow.org/enabled": "true",
    "serving.kubeflow.org/inferenceservice": "enabled",
    WORKLOADS: "true",
}
ALL = ["create", "delete", "get", "list", "patch", "update", "watch"]
RBAC = "rbac.authorization.k8s.io"


class Profiles(Foreign):
    token = "ml-platform:kubeflow:Profiles"  # noqa: S105 - a type token

    def __init__(self, name: str, kubeflow: Kubeflow, gateway: str, profiles: Mapping[str, ProfileSettings]) -> None:
        """`gateway` is the namespace that requests from outside come from."""
        super().__init__(name, kubeflow.site)
        self.install("profiles", name=name, extra=[_rights()], after=kubeflow.made)
        self._sources = [network.from_namespace(each) for each in (gateway, NAMESPACE)]
        for profile, settings in profiles.items():
            self._profile(profile, settings)
        self.register_outputs({})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.kubeflow is not None and settings.kubeflow.profiles is not None

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        chosen = settings.kubeflow.profiles if settings.kubeflow else None
        return Needs(bundles=("profiles",), namespaces=tuple(chosen or ()))

    def _profile(self, name: str, settings: ProfileSettings) -> None:
        site = self.site
        args = NamespaceArgs(
            labels={**site.labels, **site.ownership, **LABELS},
            annotations={"owner": settings.owner},
            pod_security="baseline",
            login=site.login,
        )
        namespace = Namespace(name, args, self.child(protect=site.cluster.protected)).resource
        meta, passive = pods.metadata("profile", name, site.labels), self.passive(namespace)
        before: list[pulumi.Resource] = [
            KubernetesObject(f"{name}-quota", pods.quota(meta, settings.quota), passive),
            KubernetesObject(f"{name}-entry", network.closed(meta, self._sources), passive),
        ]
        profile = {
            "apiVersion": "kubeflow.org/v1",
            "kind": "Profile",
            "metadata": {"name": name, "labels": dict(site.labels)},
            "spec": {"owner": {"kind": "User", "name": settings.owner}},
        }
        KubernetesObject(name, profile, self.child(depends_on=[namespace, *before, *self.ready]))


def _rights() -> dict[str, Any]:
    """What the controller and the access management do: they keep a profile's accounts, rights and policies."""
    roles = ["kubeflow-admin", "kubeflow-edit", "kubeflow-view"]
    rules = [
        {"apiGroups": [""], "resources": ["namespaces", "resourcequotas", "serviceaccounts"], "verbs": ALL},
        {"apiGroups": ["kubeflow.org"], "resources": ["profiles"], "verbs": ALL},
        {
            "apiGroups": ["kubeflow.org"],
            "resources": ["profiles/finalizers", "profiles/status"],
            "verbs": ["get", "patch", "update"],
        },
        {"apiGroups": [RBAC], "resources": ["rolebindings"], "verbs": ALL},
        {"apiGroups": [RBAC], "resources": ["clusterroles"], "resourceNames": roles, "verbs": ["bind"]},
        {"apiGroups": ["security.istio.io"], "resources": ["authorizationpolicies"], "verbs": ALL},
    ]
    meta = {"name": "profiles-controller"}
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}
