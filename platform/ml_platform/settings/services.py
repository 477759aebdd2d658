"""What the platform keeps things in: database, object store, tracking server."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import BucketName, MisfitError, Quantity, Resources, Settings
from ml_platform.settings.gateway import Url


class PostgresSettings(Settings):
    """The database of MLflow."""

    storage: Quantity = "2Gi"
    """Size of its volume. A larger one is an update, where the storage class allows it; a smaller one is refused. On
    the one-machine cluster it limits nothing."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """Raise it to change the password."""
    resources: Resources = Resources(memory="64Mi", memory_limit="512Mi")


class ObjectStoreSettings(Settings):
    """The S3 object store of data and models."""

    source: Literal["own", "cluster", "given"] = "own"
    """own: a server on a volume of the cluster. cluster: buckets of the cloud, which ml-platform:cluster declares.
    given: an S3 that is there already, with its buckets; the stack's secret ml-platform:object_store_key is its key."""
    buckets: Annotated[tuple[BucketName, ...], Field(min_length=1)] = ("datasets",)
    """Buckets of the workloads."""
    artifacts: BucketName = "mlflow"
    """The bucket of MLflow, and of nobody else."""
    storage: Quantity = "10Gi"
    """Of source own: size of its volume. A larger one is an update, where the storage class allows it; a smaller one is
    refused. On the one-machine cluster it limits nothing."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """Of source own. Raise it to change all keys."""
    resources: Resources = Resources(memory="32Mi", memory_limit="512Mi")
    """Of source own."""
    endpoint: Url | None = None
    """Of source given."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9][-a-z0-9]*$")] = "us-east-1"
    """Of source given."""
    access_key: Annotated[str, Field(pattern=r"^\S+$")] | None = None
    """Of source given: the name of the key."""

    @model_validator(mode="after")
    def _of_one_source(self) -> Self:
        if self.artifacts in self.buckets:
            raise MisfitError("buckets", f"bucket {self.artifacts} belongs to MLflow alone; name another one")
        for source, keys in _OF_SOURCE.items():
            for key in keys:
                if key in self.model_fields_set and self.source != source:
                    rule = f"it is of source: {source} alone; remove it, or choose that source"
                    raise MisfitError(key, rule, goes=True)
        for key in ("endpoint", "access_key"):
            if self.source == "given" and getattr(self, key) is None:
                raise MisfitError(key, "source: given needs it")
        return self


_OF_SOURCE = {
    "own": ("storage", "password_version", "resources"),
    "given": ("endpoint", "region", "access_key"),
}


class MLflowSettings(Settings):
    """The tracking server and model registry."""

    replicas: Annotated[int, Field(ge=1, le=10)] = 1
    allowed_hosts: tuple[str, ...] = ()
    """Further Host headers that are answered, at any port; localhost and its names on the gateway and in the cluster
    always are."""
    resources: Resources = Resources(cpu="100m", memory="384Mi", cpu_limit="2", memory_limit="1536Mi")
