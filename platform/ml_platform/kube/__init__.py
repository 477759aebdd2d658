"""A small Kubernetes client: typed errors, one kubeconfig, plain HTTP.

It owns the connection and the verbs. It does not model kinds (objects are dicts), keeps no cache but
discovery, and imports no Pulumi, so that dynamic resources and the provider start fast.
"""

from ml_platform.kube.client import Client, Object, ResourceKind
from ml_platform.kube.errors import AlreadyExists, Conflict, KubeError, NoMatch, NotFound, Unreachable
from ml_platform.kube.kubeconfig import Connection, KubeconfigError

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
