"""The cluster of another stack of this program, with what that stack made beside it, by the outputs of that stack.

The settings name all images. The provider adopts no objects, since other stacks have objects on the cluster too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulumi

from ml_platform.clusters.cluster import Cluster, Elsewhere, LoadBalancer
from ml_platform.object_storage import Key, ObjectStorage, bucket_secret
from ml_platform.other_stack import OtherStack
from ml_platform.settings import StackCluster


def connect(settings: StackCluster) -> Cluster:
    """The cluster of that stack, by the kubeconfig in its outputs."""
    other = OtherStack("cluster.stack", settings.stack)
    found: pulumi.Output[Mapping[str, Any]] = other.optional("cluster").apply(lambda known: known or {})
    return Cluster(
        kubeconfig=other.secret("kubeconfig"),
        options={"cluster_identifier": "stack", "kube_client_settings": {"qps": 100, "burst": 200}},
        images={},
        storage_class=settings.storage_class or found.apply(lambda known: known.get("storage_class")),
        disposable=False,
        protected=settings.data == "protect",
        load_balancer=_load_balancer(found),
        registry_login=partial(other.secret, "registry_login"),
        object_storage=_storage(settings, other, found),
        elsewhere=Elsewhere(stack=settings.stack, found=found, bucket_access=settings.bucket_access),
    )


def _load_balancer(found: pulumi.Output[Mapping[str, Any]]) -> LoadBalancer:
    described = found.apply(lambda known: known.get("load_balancer") or {})
    return LoadBalancer(
        kind="of another stack",
        annotations=described.apply(lambda known: known.get("annotations") or {}),
        address=described.apply(lambda known: known.get("address")),
        assumed=True,
    )


@dataclass(frozen=True, kw_only=True)
class _Storage(ObjectStorage):
    """The buckets of another stack, which hands over the secret keys of those accounts that are asked for."""

    other: OtherStack
    ids: pulumi.Output[Mapping[str, str]]
    """The id of each account's key."""

    def key(self, account: str) -> Key | None:
        if self.users is not None:
            return None
        return Key(access=self.ids.apply(lambda ids: ids[account]), secret=self.other.secret(bucket_secret(account)))


def _storage(settings: StackCluster, other: OtherStack, found: pulumi.Output[Mapping[str, Any]]) -> ObjectStorage:
    described = found.apply(lambda known: known.get("object_storage") or {})
    users = found.apply(
        lambda known: {name: each.get("used_by", []) for name, each in (known.get("buckets") or {}).items()}
    )
    return _Storage(
        endpoint=described.apply(lambda known: known.get("endpoint", "")),
        region=described.apply(lambda known: known.get("region", "")),
        amazon=described.apply(lambda known: known.get("amazon", False)),
        users=users if settings.bucket_access == "identity" else None,
        ids=described.apply(lambda known: known.get("key_ids") or {}),
        other=other,
    )
