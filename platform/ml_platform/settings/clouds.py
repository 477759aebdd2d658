"""The settings that the three clouds have in common: network access, node pools, buckets, and the protection of data.

Their words are the same in each cloud; the settings of a single cloud are in its own block (eks.py, gke.py, ionos.py).
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ml_platform.configuration import MisfitError, Settings

Purpose = Literal["general", "spot", "gpu"]
Data = Literal["protect", "retain", "delete"]
BucketAccount = Literal["mlflow", "workloads"]
BucketAccess = Literal["key", "identity"]
"""How buckets know pods: by an access key, or by their service account."""


def _network(text: str) -> str:
    try:
        return str(IPv4Network(text))
    except ValueError as wrong:
        raise ValueError(
            f"It must be an IPv4 network such as 203.0.113.0/24, or one address with /32 ({wrong})"
        ) from None


Cidr = Annotated[str, AfterValidator(_network)]
CloudName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=20)]
"""The name of a cluster; it is short, since names of cloud resources begin with it."""
PoolName = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=12)]
Minor = Annotated[str, Field(pattern=r"^1\.[0-9]{2}$", description="A minor version of Kubernetes: 1.35.")]
ServiceAccountName = Annotated[str, Field(pattern=r"^[a-z0-9][-a-z0-9]*/[a-z0-9][-a-z0-9.]*$")]
"""A service account, as <namespace>/<name>."""


class NodePoolSettings(Settings):
    """Nodes of one kind. They have the labels ml-platform/pool and ml-platform/purpose."""

    minimum: Annotated[int, Field(ge=0, le=1000)] = 1
    maximum: Annotated[int, Field(ge=1, le=1000)] = 3
    disk: Annotated[int, Field(ge=30, le=4096)] = 100
    """The size of a node's disk in GB, which holds images and the scratch space of pods."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minimum > self.maximum:
            raise MisfitError("minimum", f"it must not be above maximum, which is {self.maximum}")
        return self

    @property
    def scales(self) -> bool:
        """Whether the number of nodes may change."""
        return self.minimum < self.maximum


class PurposefulPoolSettings(NodePoolSettings):
    """Nodes of one kind, with a purpose."""

    purpose: Purpose = "general"
    """The purpose of the nodes. general: all pods. spot: cheap nodes that the cloud may reclaim, with the taint
    ml-platform/purpose=spot. gpu: nodes with NVIDIA GPUs, with the taint nvidia.com/gpu=present."""


class BucketSettings(Settings):
    """A bucket of the cloud's own object storage."""

    versions: bool = False
    """Whether overwritten and deleted objects are kept as older versions, which cost as much as current ones."""
    account: BucketAccount | None = None
    """The account of a platform's object store that uses the bucket. mlflow: the artifacts of MLflow. workloads: the
    data of the work. Without it, no platform uses the bucket."""


class SharedBucketSettings(BucketSettings):
    """A bucket of the cloud's own object storage, and the service accounts that may read and write it."""

    used_by: tuple[ServiceAccountName, ...] = ()
    """Service accounts of the cluster, as <namespace>/<name>: their pods need no keys."""


class CloudCluster(Settings):
    """A Kubernetes cluster that the stack makes."""

    name: CloudName = "ml-platform"
    """The name of the cluster; names of all else that the stack makes in the cloud begin with it."""
    api_access: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """Networks that may reach the Kubernetes API: your office, your CI. 0.0.0.0/0 is everybody."""
    data: Data = "protect"
    """How the cluster, its buckets, registry and keys, and the database and the object store in it are kept. protect:
    Pulumi and the cloud refuse what would remove or replace one of them. retain: buckets, registry and keys stay in the
    cloud after the stack has removed them from its state. delete: all of it is deleted with its contents."""


def check_general(pools: Mapping[str, NodePoolSettings]) -> None:
    """Refuses pools of which none has nodes at all times: the platform itself needs some.

    Raises:
        MisfitError: no pool for general purposes has a minimum of 1 or more.
    """
    general = [pool for pool in pools.values() if getattr(pool, "purpose", "general") == "general"]
    if not any(pool.minimum for pool in general):
        raise MisfitError("pools", "one pool for general purposes must have a minimum of 1 or more")


def check_processor(machine: str, arm: str) -> None:
    """Refuses machines with an ARM processor, since all images are for x86, the system of the nodes included.

    Raises:
        MisfitError: the pattern `arm` matches the machine.
    """
    if re.match(arm, machine):
        rule = "it has an ARM processor, and what nodes run is for x86 (linux/amd64): choose a machine of that kind"
        raise MisfitError("machine", rule, machine)
