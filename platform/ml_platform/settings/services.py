"""The services that hold the platform's data: database, object store, tracking server."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import BucketName, MisfitError, Quantity, Resources, Settings
from ml_platform.settings.gateway import Url


class PostgresSettings(Settings):
    """The databases of MLflow and, where there is Katib, of Katib: each a server of its own, on a volume of its own."""

    storage: Quantity = "2Gi"
    """The size of a database's volume. A larger size is an update where the storage class allows expansion; a smaller
    one is refused. On the one-machine cluster the size limits nothing."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """The version of the passwords; a higher one changes them."""
    resources: Resources = Resources(memory="64Mi", memory_limit="512Mi")


class ObjectStoreSettings(Settings):
    """The S3 object store of data and models."""

    source: Literal["own", "cluster", "given"] = "own"
    """The source of the store. own: a server on a volume of the cluster. cluster: buckets of the cloud, which
    ml-platform:cluster declares. given: an existing S3 with its buckets; the stack's secret
    ml-platform:object_store_key holds its secret key."""
    buckets: Annotated[tuple[BucketName, ...], Field(min_length=1)] = ("datasets",)
    """Buckets of the workloads."""
    artifacts: BucketName = "mlflow"
    """The bucket that only MLflow uses."""
    storage: Quantity = "10Gi"
    """The size of the server's volume, for source own. A larger size is an update where the storage class allows
    expansion; a smaller one is refused. On the one-machine cluster the size limits nothing."""
    password_version: Annotated[int, Field(ge=1)] = 1
    """The version of all keys, for source own; a higher one changes them."""
    resources: Resources = Resources(memory="32Mi", memory_limit="512Mi")
    """The resources of the server, for source own."""
    endpoint: Url | None = None
    """The URL of the store, for source given."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9][-a-z0-9]*$")] = "us-east-1"
    """The region of the store, for source given."""
    access_key: Annotated[str, Field(pattern=r"^\S+$")] | None = None
    """The id of the access key, for source given."""

    @model_validator(mode="after")
    def _of_one_source(self) -> Self:
        if self.artifacts in self.buckets:
            raise MisfitError("buckets", f"bucket {self.artifacts} belongs to MLflow alone; name another one")
        for source, keys in _OF_SOURCE.items():
            for key in keys:
                if key in self.model_fields_set and self.source != source:
                    rule = f"it is of source: {source} alone; remove it, or choose that source"
                    raise MisfitError(key, rule, remove=True)
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
    """Further hosts that the server answers to, at any port; it always answers to localhost and to its names on the
    gateway and in the cluster."""
    scratch: Quantity = "10Gi"
    """The most that a server has of its node's disk. MLflow puts each file there before it answers with it, so models
    that start at a time need the sum of their sizes; above the limit the server is evicted."""
    resources: Resources = Resources(cpu="100m", memory="384Mi", cpu_limit="2", memory_limit="1536Mi")
