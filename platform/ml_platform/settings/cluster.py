"""Where Kubernetes comes from."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from ml_platform.configuration import Settings
from ml_platform.settings.eks import EksCluster
from ml_platform.settings.gke import GkeCluster
from ml_platform.settings.ionos import IonosCluster


class LocalCluster(Settings):
    """The one-machine Kubernetes that `make up` starts."""

    source: Literal["local"]
    state_dir: str = "/var/lib/ml-platform"
    """Where the node keeps its state; the environment's ML_PLATFORM_STATE wins."""


class ExistingCluster(Settings):
    """Any Kubernetes that a kubeconfig leads to."""

    source: Literal["existing"]
    kubeconfig: str | None = None
    """Path of a kubeconfig file. Without it, the stack's secret ml-platform:kubeconfig holds the text of one."""
    context: str | None = None
    """The context to use; without it, the current one of the kubeconfig."""
    storage_class: str | None = None
    """Storage class of all volumes; without it, the cluster's default."""


AnyCluster = LocalCluster | ExistingCluster | IonosCluster | GkeCluster | EksCluster


class ClusterSettings(RootModel[Annotated[AnyCluster, Field(discriminator="source")]]):
    """ml-platform:cluster: where Kubernetes comes from."""
