"""Object storage outside of the platform: buckets of the cluster's cloud, or of an S3 server that exists already."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from ml_platform.configuration import PROJECT, SettingsError, require_secret
from ml_platform.handle import ObjectStoreAccess
from ml_platform.settings import ObjectStoreSettings
from ml_platform.store import Account


@dataclass(frozen=True, kw_only=True)
class Key:
    """The access key of an account at an object store."""

    access: pulumi.Output[str]
    secret: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """Buckets as S3 clients reach them."""

    endpoint: str
    region: str
    buckets: tuple[str, ...]
    amazon: bool = False
    """Whether the server is Amazon S3 itself; others imitate it."""
    keys: Mapping[str, Key] = field(default_factory=dict)
    """The key of each account. An account without a key has pods that are identified by their service accounts."""
    users: Mapping[str, tuple[str, ...]] | None = None
    """Where pods are identified by service accounts: those that the settings let use each bucket."""

    def access(self, account: str, buckets: tuple[str, ...]) -> ObjectStoreAccess:
        """The access of `account` to its `buckets`."""
        key = self.keys.get(account)
        return ObjectStoreAccess(
            endpoint=pulumi.Output.from_input(self.endpoint),
            region=pulumi.Output.from_input(self.region),
            access_key=key.access if key else None,
            secret_key=key.secret if key else None,
            buckets=buckets,
            checksums=pulumi.Output.from_input("when_supported" if self.amazon else "when_required"),
            users=None if self.users is None else {bucket: self.users[bucket] for bucket in buckets},
        )


def chosen(
    settings: ObjectStoreSettings, of_cluster: ObjectStorage | None, accounts: Mapping[str, Account]
) -> ObjectStorage:
    """The object storage that the settings choose, for source cluster and source given.

    Raises:
        SettingsError: the cluster has no buckets, or the secret key of the given store is missing.
    """
    if settings.source == "given":
        return _given(settings, accounts)
    if of_cluster is None:
        path = f"{PROJECT}:platform.object_store.source"
        raise SettingsError(
            f"{path} is 'cluster', and this cluster has no buckets; those of source ionos, gke and eks may. Have the "
            f"platform run a store of its own, or name one that is there already (given):\n"
            f"  pulumi config set --path '{path}' own"
        )
    return of_cluster


def _given(settings: ObjectStoreSettings, accounts: Mapping[str, Account]) -> ObjectStorage:
    secret = require_secret(pulumi.Config(), "object_store_key", "the secret key of platform.object_store.access_key")
    key = Key(access=pulumi.Output.from_input(settings.access_key or ""), secret=secret)
    return ObjectStorage(
        endpoint=settings.endpoint or "",
        region=settings.region,
        buckets=(settings.artifacts, *settings.buckets),
        keys=dict.fromkeys(accounts, key),
    )
