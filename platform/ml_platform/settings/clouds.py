"""What the three clouds have in common: network access, node pools, buckets, and what becomes of data.

The words are the same in each; what only one cloud has is in its own block (settings/cluster.py).
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ml_platform.configuration import MisfitError, Settings

Purpose = Literal["general", "spot", "gpu"]
Data = Literal["protect", "retain", "delete"]


def _network(text: str) -> str:
    try:
        return str(IPv4Network(text))
    except ValueError as wrong:
        raise ValueError(
            f"It must be an IPv4 network such as 203.0.113.0/24, or one address with /32 ({wrong})"
        ) from None


Cidr = Annotated[str, AfterValidator(_network)]
CloudName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=20)]
"""Short, since clouds put more behind it."""
PoolName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=12)]
Minor = Annotated[str, Field(pattern=r"^1\.[0-9]{2}$", description="A minor version of Kubernetes: 1.35.")]
ServiceAccountName = Annotated[str, Field(pattern=r"^[a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*$")]
"""<namespace>/<service account>"""


class NodePoolSettings(Settings):
    """Nodes of one kind. They carry the labels ml-platform/pool and ml-platform/purpose."""

    minimum: Annotated[int, Field(ge=0, le=1000)] = 1
    maximum: Annotated[int, Field(ge=1, le=1000)] = 3
    disk: Annotated[int, Field(ge=30, le=4096)] = 100
    """Size of a node's disk in GB: images and scratch space lie on it."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise MisfitError("minimum", f"it must not be above maximum, which is {self.maximum}")
        return self

    @property
    def scales(self) -> bool:
        """Whether there may be more nodes than there always are."""
        return self.minimum < self.maximum


class PurposefulPoolSettings(NodePoolSettings):
    """Nodes of one kind, and what they are for."""

    purpose: Purpose = "general"
    """general: everything. spot: cheap nodes that the cloud may take back, with the taint ml-platform/purpose=spot.
    gpu: nodes with NVIDIA GPUs, with the taint nvidia.com/gpu=present."""


class BucketSettings(Settings):
    """A bucket of the cloud's own object storage."""

    versions: bool = False
    """Whether overwritten and deleted objects are kept as older versions, which cost like others."""


class SharedBucketSettings(BucketSettings):
    """A bucket of the cloud's own object storage, and who may read and write it."""

    used_by: tuple[ServiceAccountName, ...] = ()
    """Service accounts of the cluster, as <namespace>/<name>: their pods need no keys."""


class CloudCluster(Settings):
    """A Kubernetes cluster that the stack makes."""

    name: CloudName = "ml-platform"
    """Of the cluster, and the beginning of the name of all else that the stack makes in the cloud."""
    api_access: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """Networks that may reach the Kubernetes API: your office, your CI. Everybody is 0.0.0.0/0, said explicitly."""
    alone: bool = False
    """Whether the stack stops at the cluster, its buckets and its registry, as the first `pulumi up` does where images
    have to be pushed into that registry before pods can run. Set on a later one, it removes the platform."""
    data: Data = "protect"
    """What becomes of the cluster and its buckets, registry and keys, and of the database and the object store in it.
    protect: what would remove or replace one of them is refused, by Pulumi and by the cloud. retain: buckets, registry
    and keys stay in the cloud when the stack lets go of them. delete: all of it goes, contents included."""

    @property
    def bucket_users(self) -> dict[str, tuple[str, ...]]:
        """The buckets that it makes, and the service accounts that the settings let use them."""
        raise NotImplementedError


def check_general(pools: Mapping[str, NodePoolSettings]) -> None:
    """The platform itself needs nodes that are always there.

    Raises:
        MisfitError: no pool has some.
    """
    general = [pool for pool in pools.values() if getattr(pool, "purpose", "general") == "general"]
    if not any(pool.minimum for pool in general):
        raise MisfitError("pools", "one pool for general purposes must have a minimum of 1 or more")


def check_processor(machine: str, arm: str) -> None:
    """Nodes run images for x86, their own system among them; nothing in a stack says that there are others.

    Raises:
        MisfitError: the machine is one of those that `arm` matches.
    """
    if re.match(arm, machine):
        rule = "it has an ARM processor, and what nodes run is for x86 (linux/amd64): choose a machine of that kind"
        raise MisfitError("machine", rule, machine)


def buckets_by_user(buckets: Mapping[str, SharedBucketSettings]) -> dict[tuple[str, str], tuple[str, ...]]:
    """The buckets of each service account, as (namespace, name)."""
    users = sorted({user for bucket in buckets.values() for user in bucket.used_by})
    return {
        (user.partition("/")[0], user.partition("/")[2]): tuple(
            name for name, bucket in sorted(buckets.items()) if user in bucket.used_by
        )
        for user in users
    }
