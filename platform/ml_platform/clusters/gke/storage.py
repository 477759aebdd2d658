"""What holds data outside of the cluster: buckets, which pods use without keys, and a registry for images."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import artifactregistry, storage

from ml_platform.clusters import cloud
from ml_platform.clusters.cluster import ObjectStorage
from ml_platform.clusters.gke.nodes import Identity
from ml_platform.component import Component
from ml_platform.settings import GkeCluster, OwnershipSettings
from ml_platform.settings.clouds import SharedBucketSettings


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    settings: GkeCluster
    ownership: OwnershipSettings
    identity: Identity


class Storage(Component):
    token = "ml-platform:gke:Storage"  # noqa: S105 - a type token

    objects: ObjectStorage | None = None
    registry: pulumi.Output[str]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._settings, self._ownership = args.settings, args.ownership
        settings = args.settings
        self._held = self.child(**cloud.kept(settings.data))
        for bucket, chosen in settings.buckets.items():
            self._bucket(bucket, chosen)
        if settings.buckets:
            self.objects = ObjectStorage(
                endpoint="https://storage.googleapis.com",
                region=settings.region,
                buckets=tuple(settings.buckets),
                credentials="workload-identity",
            )
        self.registry = self._registry(name, args.identity)
        self.register_outputs({"buckets": list(settings.buckets), "registry": self.registry})

    def _bucket(self, name: str, settings: SharedBucketSettings) -> None:
        whole = self._settings
        bucket = storage.Bucket(
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
        pool = f"{whole.project}.svc.id.goog"
        for user in settings.used_by:
            namespace, _, account = user.partition("/")
            member = pulumi.Output.concat(
                "principal://iam.googleapis.com/projects/",
                bucket.project_number.apply(str),
                f"/locations/global/workloadIdentityPools/{pool}/subject/ns/{namespace}/sa/{account}",
            )
            storage.BucketIAMMember(
                f"{name}-{namespace}-{account}",
                bucket=bucket.name,
                role="roles/storage.objectUser",
                member=member,
                opts=self.child(),
            )

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
