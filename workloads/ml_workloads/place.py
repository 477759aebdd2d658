"""A namespace as the runs in it see it: what their objects are named and labelled, and whom they run as."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import NAMED_ANEW, Component

RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run is declared."""

    namespace: str
    declared: pulumi.Input[str]
    """The same namespace; as an Output, it resolves when objects are accepted there."""
    labels: Mapping[str, str]
    kubeconfig: pulumi.Output[str]
    options: Mapping[str, Any]
    """The options of resources that do nothing by themselves."""
    service_account: Callable[[str], Mapping[str, Any]] | None = None
    """The manifest of a service account by its name; None where the operator has accounts of its own."""

    def passive(self, component: Component) -> pulumi.ResourceOptions:
        """The options for such a child of `component`."""
        return component.child(**self.options, **NAMED_ANEW)

    def metadata(self, app: str, name: pulumi.Input[str] | None = None) -> dict[str, Any]:
        """The metadata of an object that belongs to the block `app`."""
        made = pods.metadata(app, self.namespace, self.labels)
        return {**made, "namespace": self.declared, "name": app if name is None else name}

    def identity(
        self, account: str, verdict: pulumi.Input[str], rights: Sequence[Mapping[str, Any]]
    ) -> list[Mapping[str, Any]]:
        """An account that may write that verdict and has these rights, and nothing else."""
        if self.service_account is None:
            return []
        meta = self.metadata(account)
        allowed = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [verdict]}
        return [
            self.service_account(account),
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "Role",
                "metadata": meta,
                "rules": [{**allowed, "verbs": ["get", "patch"]}, *rights],
            },
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": meta,
                "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": account},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.declared}],
            },
        ]
