"""A namespace for machine learning work: its limits, its identities, its volumes and its key of the object store.

It owns what all work in the namespace shares. Each identity gets what it needs and no more: runs read and write the
workloads' buckets, a served model needs neither key nor token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from ml_platform import network, pods
from ml_platform.component import Component
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.configuration import Quota
from ml_platform.handle import PlatformHandle
from ml_platform.labels import WORKLOADS, of_stack
from ml_platform.objects import KubernetesObject

from ml_workloads.claim_settings import ClaimSettings
from ml_workloads.place import Place

KEYS = "object-store"
MODEL = "model"
"""The service account of model servers."""


@dataclass(frozen=True, kw_only=True)
class WorkspaceArgs:
    platform: PlatformHandle
    quota: Quota
    ownership: Mapping[str, str]
    """Labels that say whose it is."""
    claims: Mapping[str, ClaimSettings] = field(default_factory=dict)
    """Its volumes, by name."""
    apart: Sequence[str] = ()
    """The labels `app` of pods to which others of the namespace may not connect: policies of their own say who may."""


class Workspace(Component):
    """A namespace named as its component."""

    token = "ml-platform:workloads:Workspace"  # noqa: S105 - a type token

    name: str
    namespace: KubernetesObject
    ready: list[pulumi.Resource]
    """What work in the namespace waits for."""
    keys: list[KubernetesObject]
    """The Secret with the key of the object store, where pods need one."""
    labels: Mapping[str, str]

    def __init__(self, name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.name = name
        self.platform, self._apart = args.platform.outputs, args.apart
        self.labels = of_stack()
        marks = {**self.labels, **args.ownership, WORKLOADS: "true"}
        namespace = Namespace(name, NamespaceArgs(labels=marks, login=args.platform.login), self.child())
        self.namespace, self._account = namespace.resource, namespace.account
        passive = self.child(deleted_with=self.namespace)
        limits = pods.quota(pods.metadata("workloads", name, self.labels), args.quota)
        quota = KubernetesObject(f"{name}-quota", limits, self.child())
        self.keys = [KubernetesObject(f"{name}-{KEYS}", secret, passive) for secret in self._keys()]
        self.ready = [
            quota,
            *self.keys,
            KubernetesObject(f"{name}-entry", self._policy(), passive),
            *(KubernetesObject(f"{name}-sealed", each, passive) for each in self._sealed()),
            KubernetesObject(f"{name}-{MODEL}", self.account(MODEL), passive),
            *(self._claim(claim, settings) for claim, settings in args.claims.items()),
        ]
        self.register_outputs({"name": name})

    @property
    def place(self) -> Place:
        """Where runs are declared."""
        return Place(
            namespace=self.name,
            declared=self.name,
            labels=self.labels,
            kubeconfig=self.platform.kubeconfig,
            options={"deleted_with": self.namespace, "depends_on": self.ready},
            service_account=self.account,
        )

    def account(self, name: str) -> dict[str, Any]:
        """A service account in it."""
        return self._account(name, self.labels)

    def environment(self) -> dict[str, Any]:
        """What clients of the object store read."""
        store = self.platform.object_store
        return {
            "AWS_ENDPOINT_URL_S3": store.endpoint,
            **store.environment(KEYS, "secret_key"),
        }

    def _keys(self) -> list[dict[str, Any]]:
        key = self.platform.object_store.secret_key
        return [] if key is None else [pods.secret(pods.metadata(KEYS, self.name, self.labels), {"secret_key": key})]

    def _claim(self, name: str, settings: ClaimSettings) -> KubernetesObject:
        meta = pods.metadata(name, self.name, self.labels)
        manifest = pods.claim(meta, settings.size, settings.storage_class, settings.access)
        held = self.child(protect=settings.protect, ignore_changes=pods.KEPT_BY_CLAIMS, depends_on=[self.namespace])
        return KubernetesObject(name, manifest, held)

    def _sealed(self) -> list[dict[str, Any]]:
        """What closes the pods too that the policy of all others leaves out."""
        return [network.sealed(pods.metadata("sealed", self.name, self.labels))] if self._apart else []

    def _policy(self) -> dict[str, Any]:
        """Models are asked through the gateway and Knative's own components; runs by nobody."""
        sources = self.platform.entry_namespaces.apply(lambda found: [*map(network.from_namespace, found)])
        return network.closed(pods.metadata("entry", self.name, self.labels), sources, self._apart)
