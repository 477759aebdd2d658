"""A small Kubernetes client: typed errors, one kubeconfig, plain HTTP.

The package owns the connection and the verbs. Objects are dicts, discovery is its only cache, and it imports no Pulumi,
so that dynamic resources and the provider start fast.
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
    """Imports the client and its HTTP library at their first use: an update that changes nothing needs neither."""
    if name in ("Client", "Object", "ResourceKind"):
        from ml_platform.kube import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
