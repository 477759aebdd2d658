"""Where Kubernetes comes from."""

from typing import Annotated, Literal

from pydantic import Field, RootModel

from ml_platform.configuration import Name, Settings, one_rule
from ml_platform.settings.eks import EksCluster
from ml_platform.settings.gke import GkeCluster
from ml_platform.settings.ionos import IonosCluster
from ml_platform.settings.pools import GivenPoolSettings
from ml_platform.settings.stack import StackCluster, StackName


class LocalCluster(Settings):
    """The one-machine Kubernetes that `make up` starts."""

    source: Literal["local"]
    state_dir: str = "/var/lib/ml-platform"
    """Where the node keeps its state; the environment's ML_PLATFORM_STATE wins."""


class StackOutput(Settings):
    """What another stack has for others, as a secret."""

    stack: StackName
    output: str = "kubeconfig"
    """The name of the output."""


class LoadBalancerSettings(Settings):
    """What gives a Service of type LoadBalancer its address."""

    annotations: dict[str, str] = Field(default_factory=dict)
    """Of the gateway's Service: what this cluster's load balancer wants to be told."""
    assumed: bool = False
    """Take it that there is one, though nothing on the cluster shows it."""


Kubeconfig = Annotated[
    str | StackOutput, one_rule("It must be the path of a file, or {stack: <organization>/<project>/<stack>}")
]


class ExistingCluster(Settings):
    """Any Kubernetes that a kubeconfig leads to."""

    source: Literal["existing"]
    kubeconfig: Kubeconfig | None = None
    """Path of a kubeconfig file from the folder of Pulumi.yaml, or the output of another stack. Without it, the stack's
    secret ml-platform:kubeconfig holds the text of one."""
    context: str | None = None
    """The context to use; without it, the current one of the kubeconfig."""
    storage_class: str | None = None
    """Storage class of all volumes; without it, the cluster's default. A volume that is there keeps the one it has."""
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()
    pools: dict[Name, GivenPoolSettings] = Field(default_factory=dict)
    """Node pools that work may be put on."""
    data: Literal["protect", "delete"] = "protect"
    """What becomes of the database and the object store. protect: Pulumi refuses what would remove or replace them.
    delete: they go with the stack."""


AnyCluster = LocalCluster | ExistingCluster | StackCluster | IonosCluster | GkeCluster | EksCluster


class ClusterSettings(RootModel[Annotated[AnyCluster, Field(discriminator="source")]]):
    """ml-platform:cluster: where Kubernetes comes from."""
