"""The operator's contract: what ml-platform:cluster and ml-platform:platform may say.

Plain values that decide what exists. Secrets are never in here: they are keys of their own, read as Outputs.
"""

from typing import Annotated, Literal, Self

import pulumi
from pydantic import Field, RootModel, model_validator

from ml_platform.configuration import MisfitError, Name, Quantity, Resources, Settings, read

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[str, Field(pattern=r"^([6-9]|[1-9]\d{1,2})s$")]
"""From 6s, the shortest that Knative takes, to 999s."""


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


class ClusterSettings(RootModel[Annotated[LocalCluster | ExistingCluster, Field(discriminator="source")]]):
    """ml-platform:cluster: where Kubernetes comes from."""


class GatewaySettings(Settings):
    """The one port through which everything is reached."""

    domain: Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")] = "localhost"
    """Every URL is a host under it: mlflow.<domain>, <service>-predictor.<namespace>.<domain>."""
    host_port: Port | None = None
    """A port on the node itself, for one machine. Without it, the gateway is a LoadBalancer service on port 80."""
    bind: str = "127.0.0.1"
    """The node's address that host_port listens on."""


class AutoscalingSettings(Settings):
    """How quickly models without requests shrink. Short times suit one machine, Knative's own suit a fleet."""

    stable_window: Seconds = "60s"
    """Over what time the load is averaged."""
    scale_to_zero_grace_period: Seconds = "30s"
    """How long the last pod stays when it is no longer wanted."""


class ServingSettings(Settings):
    """How models are served."""

    mode: Literal["knative"] = "knative"
    autoscaling: AutoscalingSettings = AutoscalingSettings()


class PostgresSettings(Settings):
    """The database of MLflow."""

    storage: Quantity = "2Gi"
    password_version: Annotated[int, Field(ge=1)] = 1
    """Raise it to change the password."""
    resources: Resources = Resources(memory="64Mi", memory_limit="512Mi")


class ObjectStoreSettings(Settings):
    """The S3 object store."""

    storage: Quantity = "10Gi"
    buckets: tuple[Name, ...] = ("datasets",)
    """Buckets of the workloads. MLflow's own is not among them."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """Raise it to change all keys."""
    resources: Resources = Resources(memory="32Mi", memory_limit="512Mi")

    @model_validator(mode="after")
    def _own_bucket(self) -> Self:
        if "mlflow" in self.buckets:
            raise MisfitError("buckets", "bucket mlflow belongs to MLflow alone; name another one")
        return self


class MLflowSettings(Settings):
    """The tracking server and model registry."""

    replicas: Annotated[int, Field(ge=1, le=10)] = 1
    allowed_hosts: tuple[str, ...] = ()
    """Further Host headers that are answered; its names on the gateway and in the cluster always are."""
    resources: Resources = Resources(cpu="100m", memory="384Mi", cpu_limit="2", memory_limit="1536Mi")


class PlatformSettings(Settings):
    """ml-platform:platform: what stands on the cluster before any ML work."""

    gateway: GatewaySettings = GatewaySettings()
    serving: ServingSettings = ServingSettings()
    postgres: PostgresSettings = PostgresSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    mlflow: MLflowSettings = MLflowSettings()
    images: dict[str, Annotated[str, Field(pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")]] = Field(default_factory=dict)
    """Image references by digest, by name; they win over those that the cluster brings along."""


def load_cluster(config: pulumi.Config) -> LocalCluster | ExistingCluster:
    return read(config, "cluster", ClusterSettings).root


def load_platform(config: pulumi.Config) -> PlatformSettings:
    return read(config, "platform", PlatformSettings)
