"""ml-platform:cluster and ml-platform:platform with source stack: another stack made the cluster or the platform.

Choices that decide which resources this stack declares are repeated here, and compared with those of the other stack.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from ml_platform.configuration import BucketName, ImageReference, Name, Settings
from ml_platform.handle import ServingMode, SparkOperator, TrainingOperator
from ml_platform.settings.clouds import BucketAccess
from ml_platform.settings.pools import GivenPoolSettings

StackName = Annotated[
    str,
    Field(
        pattern=r"^[^/\s]+/[^/\s]+/[^/\s]+$",
        description="<organization>/<project>/<stack>. Where states lie in a bucket or a folder, the organization is "
        "called `organization`.",
    ),
]


class StackCluster(Settings):
    """The cluster of another stack of this program, with what that stack made beside it: storage class, load balancer,
    buckets, registry."""

    source: Literal["stack"]
    stack: StackName
    storage_class: str | None = None
    """The storage class of new volumes; without it, that of the other stack, or the cluster's default. A volume that
    exists keeps its own."""
    bucket_access: BucketAccess = "key"
    """How the buckets of the other stack know pods. key: by an access key, which that stack hands over. identity: by
    their service account, as buckets on EKS do."""
    pools: dict[Name, GivenPoolSettings] = Field(default_factory=dict)
    """Node pools that work may be put on, as the other stack has them."""
    data: Literal["protect", "delete"] = "protect"
    """How the database and the object store of a platform that this stack puts on the cluster are kept. protect: Pulumi
    refuses what would remove or replace them. delete: they are removed with the stack."""


class SharedServing(Settings):
    """How the platform serves models."""

    mode: ServingMode = "knative"
    """The serving mode of the platform."""


class SharedSpark(Settings):
    """The platform's operator that runs SparkApplications."""

    operator: SparkOperator = "kubeflow"
    """The operator of the platform."""
    namespace: Name = "spark-jobs"
    """The platform's namespace of SparkApplications, which all stacks that use the platform share."""


class SharedTraining(Settings):
    """The platform's operator that runs trainings in several pods."""

    operator: TrainingOperator = "trainer"
    """The operator of the platform: trainer where its `training` has v2."""


class SharedRay(Settings):
    """The platform's KubeRay operator, which runs RayJobs."""


class SharedObjectStore(Settings):
    """The part of the platform's object store that this stack uses."""

    buckets: Annotated[tuple[BucketName, ...], Field(min_length=1)] = ("datasets",)
    """Buckets of the platform that this stack's work uses."""
    access: BucketAccess = "key"
    """How the store identifies pods, the same as the platform says. key: by an access key. identity: by their service
    account, as buckets on EKS do."""


class SharedPlatform(Settings):
    """The platform of another stack of this program, and the parts of it that this stack's work uses."""

    source: Literal["stack"]
    stack: StackName
    serving: SharedServing = SharedServing()
    spark: SharedSpark | None = None
    ray: SharedRay | None = None
    training: SharedTraining | None = None
    object_store: SharedObjectStore = SharedObjectStore()
    images: dict[str, ImageReference] = Field(default_factory=dict)
    """Image references by digest, by our short names. They are this stack's own, since another image is another run;
    mlserver, in which candidates are judged, must be the image that the platform serves with."""
    registry_login: Literal["given"] | None = None
    """The login with which images are pulled in the work's namespace. given: this stack's secret
    ml-platform:registry_login, a Docker configuration. Without it, nodes pull with their own rights."""

    def add_on(self, block: str) -> Any:
        """The block of an add-on; None where this stack does not use it."""
        return getattr(self, block, None)

    @property
    def certified_below(self) -> None:
        """None: only the other stack knows the hosts on its certificate."""
