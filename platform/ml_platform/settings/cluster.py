"""ml-platform:cluster: the sources that Kubernetes comes from."""

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
    """The folder of the node's state; the environment variable ML_PLATFORM_STATE wins."""


class StackOutput(Settings):
    """A secret output of another stack."""

    stack: StackName
    output: str = "kubeconfig"
    """The name of the output."""


class LoadBalancerSettings(Settings):
    """The load balancer of the cluster, which gives a Service of type LoadBalancer its address."""

    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the gateway's Service that this load balancer reads."""
    assumed: bool = False
    """Whether the cluster has a load balancer for certain, so that the preflight looks for no sign of one."""


Kubeconfig = Annotated[
    str | StackOutput, one_rule("It must be the path of a file, or {stack: <organization>/<project>/<stack>}")
]


class ExistingCluster(Settings):
    """Any Kubernetes that a kubeconfig leads to."""

    source: Literal["existing"]
    kubeconfig: Kubeconfig | None = None
    """The path of a kubeconfig file from the folder of Pulumi.yaml, or the output of another stack. Without it, the
    stack's secret ml-platform:kubeconfig holds the text of one."""
    context: str | None = None
    """The context of the kubeconfig that the stack uses; without it, the current one."""
    storage_class: str | None = None
    """The storage class of new volumes; without it, the cluster's default. A volume that exists keeps its own."""
    load_balancer: LoadBalancerSettings = LoadBalancerSettings()
    pools: dict[Name, GivenPoolSettings] = Field(default_factory=dict)
    """Node pools that work may be put on."""
    data: Literal["protect", "delete"] = "protect"
    """How the database and the object store are kept. protect: Pulumi refuses what would remove or replace them.
    delete: they are removed with the stack."""


AnyCluster = LocalCluster | ExistingCluster | StackCluster | IonosCluster | GkeCluster | EksCluster


class ClusterSettings(RootModel[Annotated[AnyCluster, Field(discriminator="source")]]):
    """ml-platform:cluster: where Kubernetes comes from."""
