"""What a cluster that this program makes has for a platform, as plain values.

The stack that makes the cluster knows it from its settings; a stack whose platform is on that cluster knows it from the
outputs of the other one. The checks of a platform against it are the same for both (agreement.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from ml_platform import placement
from ml_platform.pods import Placement
from ml_platform.settings import EksCluster, GkeCluster, IonosCluster
from ml_platform.settings.clouds import BucketAccess, BucketSettings, NodePoolSettings, Purpose

AnyCloud = IonosCluster | GkeCluster | EksCluster


@dataclass(frozen=True, kw_only=True)
class NodePool:
    """Nodes of one kind, with a purpose."""

    purpose: Purpose
    minimum: int
    maximum: int
    placement: Placement
    """How pods say that they run there."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket, and who may use it."""

    account: str | None = None
    """The account of a platform's object store whose bucket it is."""
    used_by: Sequence[str] = ()
    """The service accounts that it is open for, as <namespace>/<name>, where buckets know pods by these."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What one cluster has."""

    version: str
    """The version of Kubernetes."""
    pools: Mapping[str, NodePool]
    """The node pools by name."""
    access: BucketAccess
    """How the buckets know the pods of a platform."""
    keyed: bool
    """Whether the accounts of a platform's object store have keys to their buckets."""
    buckets: Mapping[str, Bucket]
    """The buckets by name."""
    dns_zones: Sequence[str] | None = None
    """The zones that cert-manager's pods may edit as themselves; None where the cluster gives no such rights."""

    @classmethod
    def by(cls, cluster: AnyCloud) -> Self:
        """What the cluster of these settings has."""
        eks = cluster if isinstance(cluster, EksCluster) else None
        users = eks.bucket_users if eks else {}
        buckets: Mapping[str, BucketSettings] = {**cluster.buckets}
        return cls(
            version=cluster.version,
            pools={name: _pool(name, each) for name, each in cluster.pools.items()},
            access="identity" if eks else "key",
            keyed=not eks and not (isinstance(cluster, IonosCluster) and cluster.object_storage.key_owner is None),
            buckets={name: Bucket(account=each.account, used_by=users.get(name, ())) for name, each in buckets.items()},
            dns_zones=eks.dns_zones if eks else None,
        )

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Self:
        """What another stack says that its cluster has: the values of `as_output`, as a reference to a stack gives
        them, without those that are None."""
        pools = {name: NodePool(**each) for name, each in found["pools"].items()}
        buckets = {name: Bucket(**each) for name, each in found["buckets"].items()}
        return cls(**{**found, "pools": pools, "buckets": buckets})

    def as_output(self) -> dict[str, Any]:
        """All of it, as a stack exports it."""
        return asdict(self)

    @property
    def placements(self) -> dict[str, Placement]:
        """How pods say that they run on each pool, by its name."""
        return {name: pool.placement for name, pool in self.pools.items()}


def _pool(name: str, settings: NodePoolSettings) -> NodePool:
    return NodePool(
        purpose=placement.purpose(settings),
        minimum=settings.minimum,
        maximum=settings.maximum,
        placement=placement.made(name, settings),
    )
