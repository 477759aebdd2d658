"""Any Kubernetes that a kubeconfig leads to: kind, k3d, minikube, or a cluster that somebody else runs.

The settings name all images. The provider adopts no objects: one that exists already is an error.
"""

from pathlib import Path

import pulumi

from ml_platform.clusters.cluster import Cluster, LoadBalancer
from ml_platform.clusters.kubeconfig import complete
from ml_platform.configuration import SettingsError, require_secret
from ml_platform.other_stack import OtherStack
from ml_platform.settings import ExistingCluster, StackOutput


def connect(settings: ExistingCluster) -> Cluster:
    """The cluster of the kubeconfig.

    Raises:
        SettingsError: a secret is missing, or the kubeconfig can't be used.
    """
    kubeconfig = pulumi.Output.secret(_text(settings))
    return Cluster(
        kubeconfig=kubeconfig,
        # A new kubeconfig may lead to the same cluster: the identifier is fixed, and the preflight checks the cluster.
        options={"cluster_identifier": "existing", "kube_client_settings": {"qps": 100, "burst": 200}},
        images={},
        storage_class=settings.storage_class,
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=LoadBalancer(kind="the cluster's own", **settings.load_balancer.model_dump()),
    )


def _text(settings: ExistingCluster) -> pulumi.Input[str]:
    def completed(text: str) -> str:
        return complete(text, None, settings.context)

    match settings.kubeconfig:
        case None:
            purpose = "the text of a kubeconfig, as cluster.kubeconfig names none"
            return require_secret(pulumi.Config(), "kubeconfig", purpose).apply(completed)
        case StackOutput() as other:
            return OtherStack("cluster.kubeconfig.stack", other.stack).secret(other.output).apply(completed)
        case str() as name:
            return _of_file(name, settings.context)


def _of_file(name: str, context: str | None) -> str:
    try:
        path = _absolute(name)
        text = path.read_text()
    except (OSError, UnicodeDecodeError, RuntimeError) as unreadable:
        is_binary = isinstance(unreadable, UnicodeDecodeError)
        why = "it is no text" if is_binary else getattr(unreadable, "strerror", str(unreadable))
        raise SettingsError(
            f"ml-platform:cluster.kubeconfig is {name!r}, which can't be read: {why}. It is a path from the folder of "
            f"Pulumi.yaml; set it with:\n  pulumi config set --path 'ml-platform:cluster.kubeconfig' <path>"
        ) from unreadable
    return complete(text, path.parent.resolve(), context)


def _absolute(name: str) -> Path:
    """The absolute path: paths in the settings start at the folder of Pulumi.yaml; the program runs in another one."""
    path = Path(name).expanduser()
    return path if path.is_absolute() else Path(pulumi.get_root_directory(), path)
