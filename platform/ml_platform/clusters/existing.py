"""Any Kubernetes that a kubeconfig leads to: kind, k3d, minikube, or one that somebody else runs.

It brings no images along (settings name them) and adopts nothing: an object that is there already is an error.
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
        # Another text is not another cluster: the preflight asks which one it is.
        options={"cluster_identifier": "existing", "kube_client_settings": {"qps": 100, "burst": 200}},
        images={},
        storage_class=settings.storage_class,
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=LoadBalancer(kind="the cluster's own", **settings.load_balancer.model_dump()),
    )


def _text(settings: ExistingCluster) -> pulumi.Input[str]:
    def completed(text: str) -> str:
        return complete(text, Path.cwd(), settings.context)

    match settings.kubeconfig:
        case None:
            purpose = "the text of a kubeconfig, as cluster.kubeconfig names none"
            return require_secret(pulumi.Config(), "kubeconfig", purpose).apply(completed)
        case StackOutput() as other:
            return OtherStack("cluster.kubeconfig.stack", other.stack).secret(other.output).apply(completed)
        case str() as name:
            return _of_file(Path(name).expanduser(), settings.context)


def _of_file(path: Path, context: str | None) -> str:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as unreadable:
        why = unreadable.strerror if isinstance(unreadable, OSError) else "it is no text"
        raise SettingsError(
            f"ml-platform:cluster.kubeconfig is {str(path)!r}, which can't be read: {why}. Set it with:\n"
            f"  pulumi config set --path 'ml-platform:cluster.kubeconfig' <path>"
        ) from unreadable
    return complete(text, path.parent.resolve(), context)
