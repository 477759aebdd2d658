"""ml-platform:cluster and ml-platform:platform for what another stack has made.

The plain choices are this stack's own, since they decide what it declares; the other stack's are compared with them.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from ml_platform.configuration import BucketName, Name, Settings
from ml_platform.handle import ServingMode, SparkOperator
from ml_platform.settings.platform import ImageReference
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
    """The cluster of another stack of this program, by its kubeconfig."""

    source: Literal["stack"]
    stack: StackName
    storage_class: str | None = None
    """Storage class of all volumes; without it, the cluster's default. A volume that is there keeps the one it has."""
    pools: dict[Name, GivenPoolSettings] = Field(default_factory=dict)
    """Node pools that work may be put on, as the platform has them."""
    data: Literal["protect", "delete"] = "protect"
    """What becomes of the database and the object store of a platform that this stack puts on it. protect: Pulumi
    refuses what would remove or replace them. delete: they go with the stack."""


class SharedServing(Settings):
    """How models are served there."""

    mode: ServingMode = "knative"
    """As the platform has it."""


class SharedSpark(Settings):
    """The operator there that runs SparkApplications."""

    operator: SparkOperator = "kubeflow"
    """As the platform has it."""
    namespace: Name = "spark-jobs"
    """As the platform has it; all that use the platform share it."""


class SharedRay(Settings):
    """KubeRay's operator there, which runs RayJobs."""


class SharedObjectStore(Settings):
    """What is used of the object store there."""

    buckets: Annotated[tuple[BucketName, ...], Field(min_length=1)] = ("datasets",)
    """Of those that the platform makes."""
    access: Literal["key", "identity"] = "key"
    """What lets pods in, as the platform has it. identity: their service account, as with buckets on EKS."""


class SharedPlatform(Settings):
    """The platform of another stack of this program, and what of it this stack's work uses."""

    source: Literal["stack"]
    stack: StackName
    serving: SharedServing = SharedServing()
    spark: SharedSpark | None = None
    ray: SharedRay | None = None
    object_store: SharedObjectStore = SharedObjectStore()
    images: dict[str, ImageReference] = Field(default_factory=dict)
    """Image references by digest, by name. They are this stack's own, since another image is another run; but mlserver,
    in which candidates are judged, must be the one that the platform serves with."""
    registry_login: Literal["given"] | None = None
    """Whose login images are pulled with in the work's namespace. given: this stack's own secret
    ml-platform:registry_login, a Docker configuration. Without it, nodes pull by themselves."""

    def add_on(self, block: str) -> Any:
        """The block of an add-on there; None where this stack uses none."""
        return getattr(self, block, None)

    @property
    def certified_below(self) -> None:
        """Not known here: the other stack knows what its certificate is for."""
