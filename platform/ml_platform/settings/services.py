"""The services of the platform's own: database, object store, tracking server."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from ml_platform.configuration import MisfitError, Name, Quantity, Resources, Settings


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
