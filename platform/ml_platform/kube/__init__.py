"""A small Kubernetes client: typed errors, one kubeconfig, plain HTTP.

It owns the connection and the verbs. It does not model kinds (objects are dicts), keeps no cache but
discovery, and imports no Pulumi, so that dynamic resources and the provider start fast.
"""

from typing import TYPE_CHECKING, Any

from ml_platform.kube.errors import AlreadyExists, Conflict, KubeError, NoMatch, NotFound, Unreachable
from ml_platform.kube.kubeconfig import Connection, KubeconfigError

if TYPE_CHECKING:
    from ml_platform.kube.client import Client, Object, ResourceKind

__all__ = [
    "AlreadyExists",
    "Client",
    "Conflict",
    "Connection",
    "KubeError",
    "KubeconfigError",
    "NoMatch",
    "NotFound",
    "Object",
    "ResourceKind",
    "Unreachable",
]


def __getattr__(name: str) -> Any:
    """The client and its HTTP come with their first use: an update that changes nothing never gets there."""
    if name in ("Client", "Object", "ResourceKind"):
        from ml_platform.kube import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
