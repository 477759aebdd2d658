"""The storage outside of the cluster: buckets with an access key, and a registry for images.

Pods on IONOS have no identity of their own, so the stack makes an access key for a user of the contract. The key has
all rights of that user, so all accounts share it.
"""

from collections.abc import Callable, Sequence

import pulumi
from pulumi_ionoscloud import compute, creg, objectstorage

from ml_platform import registry_login, store
from ml_platform.clusters import cloud
from ml_platform.clusters.cloud import CloudArgs
from ml_platform.component import Component
from ml_platform.object_storage import Key, ObjectStorage
from ml_platform.settings import IonosCluster
from ml_platform.settings.ionos import IonosRegistrySettings


class Storage(Component):
    token = "ml-platform:ionos:Storage"  # noqa: S105 - a type token

    objects: ObjectStorage | None = None
    registry: pulumi.Output[str] | None = None
    login: Callable[[], pulumi.Output[str]] | None = None
    """The login to that registry, for pods, as the text of a Docker configuration."""
    ready: Sequence[pulumi.Resource]
    """The buckets, for which users of buckets wait."""

    def __init__(self, name: str, args: CloudArgs[IonosCluster], opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._data, self._ownership = args.settings.data, args.ownership
        self._held = self.child(**cloud.kept(self._data))
        settings, buckets = args.settings.object_storage, args.settings.buckets
        self.ready = [self._bucket(name, settings.region, each.versions) for name, each in buckets.items()]
        keys: dict[str, Key] = {}
        if settings.key_owner:
            made = compute.S3Key(f"{name}-key", user_id=settings.key_owner, active=True, opts=self.child())
            keys = dict.fromkeys(store.ACCOUNTS, Key(access=made.id, secret=made.secret_key))
        if buckets:
            self.objects = ObjectStorage(
                endpoint=f"https://s3.{settings.region}.ionoscloud.com",
                region=settings.region,
                keys=keys,
            )
        if args.settings.registry:
            registry = self._registry(name, args.settings.registry)
            self.registry, login = registry.hostname, self._login(name, registry)
            self.login = lambda: login
        self.register_outputs({"buckets": list(buckets), "registry": self.registry})

    def _bucket(self, name: str, region: str, versions: bool) -> objectstorage.Bucket:
        bucket = objectstorage.Bucket(
            name,
            name=name,
            region=region,
            force_destroy=self._data == "delete",
            tags=self._ownership.tags,
            opts=self._held,
        )
        objectstorage.PublicAccessBlock(
            name,
            bucket=bucket.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._held,
        )
        objectstorage.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.name,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self._held,
        )
        objectstorage.BucketVersioning(
            name, bucket=bucket.name, versioning_configuration={"status": cloud.versioning(versions)}, opts=self._held
        )
        return bucket

    def _registry(self, name: str, settings: IonosRegistrySettings) -> creg.Registry:
        return creg.Registry(
            name,
            name=name,
            location=settings.location,
            api_subnet_allow_lists=list(settings.access),
            # Scanning can't be switched off again, and each image costs money.
            features={"vulnerability_scanning": False},
            garbage_collection_schedule={"days": ["Saturday"], "time": "04:00:00Z"},
            opts=self._held,
        )

    def _login(self, name: str, registry: creg.Registry) -> pulumi.Output[str]:
        """The login with a token that may only pull, as the text of a Docker configuration."""
        token = creg.RegistryToken(
            f"{name}-pull",
            name=f"{name}-pull",
            registry_id=registry.id,
            status="enabled",
            scopes=[{"actions": ["pull"], "name": "*", "type": "repository"}],
            opts=self.child(additional_secret_outputs=["credentials"]),
        )
        known = pulumi.Output.all(registry.hostname, token.credentials)
        return pulumi.Output.secret(
            known.apply(lambda each: registry_login.document(each[0], each[1][0]["username"], each[1][0]["password"]))
        )
