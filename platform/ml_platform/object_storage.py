"""Object storage outside of the platform: buckets of the cluster's cloud, or of an S3 server that exists already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ml_platform import store
from ml_platform.configuration import PROJECT, SettingsError, require_secret
from ml_platform.handle import ObjectStoreAccess
from ml_platform.settings import ObjectStoreSettings

Users = Mapping[str, Sequence[str]] | pulumi.Output[Mapping[str, Sequence[str]]]
"""The service accounts that each bucket is open for, as <namespace>/<name>."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """The access key of an account at an object store."""

    access: pulumi.Output[str]
    secret: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class ObjectStorage:
    """Buckets as S3 clients reach them."""

    endpoint: pulumi.Input[str]
    region: pulumi.Input[str]
    amazon: pulumi.Input[bool] = False
    """Whether the server is Amazon S3 itself; others imitate it."""
    keys: Mapping[str, Key] = field(default_factory=dict)
    """The key of each account. An account without a key has pods that are identified by their service accounts."""
    users: Users | None = None
    """Where pods are identified by service accounts: those that each bucket is open for."""

    def key(self, account: str) -> Key | None:
        """The key of `account`; None where its pods are identified by their service accounts."""
        return self.keys.get(account)

    def as_output(self) -> dict[str, Any]:
        """All but the secret keys, as a stack exports it."""
        ids = {account: key.access for account, key in self.keys.items()}
        return {"endpoint": self.endpoint, "region": self.region, "amazon": self.amazon, "key_ids": ids}

    def secrets(self) -> dict[str, pulumi.Output[str]]:
        """The secret key of each account, each a stack output of its own."""
        return {bucket_secret(account): pulumi.Output.secret(key.secret) for account, key in self.keys.items()}

    def access(self, account: str, buckets: tuple[str, ...]) -> ObjectStoreAccess:
        """The access of `account` to its `buckets`."""
        key = self.key(account)
        checksums = pulumi.Output.from_input(self.amazon).apply(lambda it: "when_supported" if it else "when_required")
        return ObjectStoreAccess(
            endpoint=pulumi.Output.from_input(self.endpoint),
            region=pulumi.Output.from_input(self.region),
            access_key=key.access if key else None,
            secret_key=key.secret if key else None,
            buckets=buckets,
            checksums=checksums,
            users=None if self.users is None else _of(self.users, buckets),
        )


def bucket_secret(account: str) -> str:
    """The name of the stack output with the secret key of an account to its buckets."""
    return f"bucket_secret_{account}"


def chosen(settings: ObjectStoreSettings, of_cluster: ObjectStorage | None) -> ObjectStorage:
    """The object storage that the settings choose, for source cluster and source given.

    Raises:
        SettingsError: the cluster has no buckets, or the secret key of the given store is missing.
    """
    if settings.source == "given":
        return _given(settings)
    if of_cluster is None:
        path = f"{PROJECT}:platform.object_store.source"
        raise SettingsError(
            f"{path} is 'cluster', and this cluster has no buckets; those that a stack makes on ionos, gke and eks "
            f"may. Have the platform run a store of its own, or name one that is there already (given):\n"
            f"  pulumi config set --path '{path}' own"
        )
    return of_cluster


def _of(users: Users, buckets: Sequence[str]) -> Users:
    """The users of these buckets, plain where those of all are."""

    def narrowed(found: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        return {bucket: found[bucket] for bucket in buckets}

    return users.apply(narrowed) if isinstance(users, pulumi.Output) else narrowed(users)


def _given(settings: ObjectStoreSettings) -> ObjectStorage:
    secret = require_secret(pulumi.Config(), "object_store_key", "the secret key of platform.object_store.access_key")
    key = Key(access=pulumi.Output.from_input(settings.access_key or ""), secret=secret)
    return ObjectStorage(
        endpoint=settings.endpoint or "",
        region=settings.region,
        keys=dict.fromkeys(store.ACCOUNTS, key),
    )
