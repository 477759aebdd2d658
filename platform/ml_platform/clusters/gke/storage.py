"""The storage outside of the cluster: buckets, and a registry for images.

Pods that use Google's own protocol need no key for buckets. Those of the platform use S3's protocol, for which Google
requires a key: each account has the key of a Google service account that may use the account's buckets only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_gcp import artifactregistry, serviceaccount, storage

from ml_platform.clusters import cloud
from ml_platform.clusters.cloud import CloudArgs
from ml_platform.clusters.gke.nodes import Identity
from ml_platform.component import Component
from ml_platform.object_storage import Key, ObjectStorage
from ml_platform.settings import GkeCluster
from ml_platform.settings.clouds import SharedBucketSettings


@dataclass(frozen=True, kw_only=True)
class StorageArgs(CloudArgs[GkeCluster]):
    identity: Identity


class Storage(Component):
    token = "ml-platform:gke:Storage"  # noqa: S105 - a type token

    objects: ObjectStorage | None = None
    registry: pulumi.Output[str]
    ready: list[pulumi.Resource]
    """The buckets and the rights to them, for which users of buckets wait."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._name, self._settings, self._ownership = name, args.settings, args.ownership
        settings = args.settings
        self._held = self.child(**cloud.kept(settings.data))
        made = {bucket: self._bucket(bucket, chosen) for bucket, chosen in settings.buckets.items()}
        keys: dict[str, Key] = {}
        self.ready = list(made.values())
        for bucket, chosen in settings.buckets.items():
            for user in dict.fromkeys(chosen.used_by):
                self._grant(made[bucket], f"{bucket}-{user.replace('/', '.')}", self._principal(made[bucket], user))
        for account, buckets in cloud.buckets_by_account(settings.buckets).items():
            keys[account] = self._key(account, {bucket: made[bucket] for bucket in buckets})
        if settings.buckets:
            self.objects = ObjectStorage(
                endpoint="https://storage.googleapis.com",
                region=settings.region,
                keys=keys,
            )
        self.registry = self._registry(name, args.identity)
        self.register_outputs({"buckets": list(settings.buckets), "registry": self.registry})

    def _bucket(self, name: str, settings: SharedBucketSettings) -> storage.Bucket:
        whole = self._settings
        return storage.Bucket(
            name,
            name=name,
            location=whole.region,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": settings.versions},
            labels=self._ownership.tags,
            force_destroy=whole.data == "delete",
            opts=self._held,
        )

    def _grant(self, bucket: storage.Bucket, name: str, member: pulumi.Output[str]) -> None:
        role = "roles/storage.objectUser"
        self.ready.append(
            storage.BucketIAMMember(name, bucket=bucket.name, role=role, member=member, opts=self.child())
        )

    def _principal(self, bucket: storage.Bucket, user: str) -> pulumi.Output[str]:
        """The IAM principal of the pods of a service account, `user` as <namespace>/<name>."""
        namespace, _, account = user.partition("/")
        pool = f"{self._settings.project}.svc.id.goog"
        return pulumi.Output.concat(
            "principal://iam.googleapis.com/projects/",
            bucket.project_number.apply(str),
            f"/locations/global/workloadIdentityPools/{pool}/subject/ns/{namespace}/sa/{account}",
        )

    def _key(self, account: str, buckets: Mapping[str, storage.Bucket]) -> Key:
        name = f"{self._name}-{account}"
        user = serviceaccount.Account(name, account_id=name, display_name=f"Buckets of {account}", opts=self.child())
        for bucket, made in buckets.items():
            self._grant(made, f"{bucket}-{account}", user.member)
        key = storage.HmacKey(name, service_account_email=user.email, opts=self.child())
        return Key(access=key.access_id, secret=key.secret)

    def _registry(self, name: str, identity: Identity) -> pulumi.Output[str]:
        whole = self._settings
        repository = artifactregistry.Repository(
            name, repository_id=name, location=whole.region, format="DOCKER", opts=self._held
        )
        artifactregistry.RepositoryIamMember(
            f"{name}-nodes",
            repository=repository.name,
            location=whole.region,
            role="roles/artifactregistry.reader",
            member=pulumi.Output.concat("serviceAccount:", identity.email),
            opts=self.child(),
        )
        return pulumi.Output.concat(f"{whole.region}-docker.pkg.dev/{whole.project}/", repository.repository_id)
