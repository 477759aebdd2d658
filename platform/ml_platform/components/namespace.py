"""A namespace that the stack makes, under the restricted pod security standard by default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.component import Component
from ml_platform.objects import KubernetesObject


@dataclass(frozen=True, kw_only=True)
class NamespaceArgs:
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    pod_security: str = "restricted"
    login: pulumi.Output[str] | None = None
    """The Docker configuration that pods there pull images with, where they need a login."""


class Namespace(Component):
    """A namespace with the component's name. Passive objects in it may be `deleted_with` its `resource`."""

    token = "ml-platform:cluster:Namespace"  # noqa: S105 - a type token

    name: str
    resource: KubernetesObject

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        security = {f"pod-security.kubernetes.io/{mode}": args.pod_security for mode in ("enforce", "warn", "audit")}
        marks = {"annotations": dict(args.annotations)} if args.annotations else {}
        self.name, self._login = name, args.login
        self.resource = KubernetesObject(
            name,
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": {**security, **args.labels}, **marks},
            },
            self.child(),
        )
        if args.login is not None:
            manifest = pods.registry_login(name, args.labels, args.login)
            KubernetesObject(f"{name}-{pods.REGISTRY}", manifest, self.child(deleted_with=self.resource))
        self.register_outputs({"name": name})

    def account(self, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
        """The manifest of a service account in the namespace, with the registry login where there is one."""
        return pods.service_account(name, self.name, labels, pods.pulls(self._login))
