"""The storage outside of the cluster: buckets, which pods use without keys, a registry, and the KMS key of both."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import ecr, iam, kms, s3

from ml_platform import repositories
from ml_platform.clusters import cloud
from ml_platform.clusters.cloud import CloudArgs
from ml_platform.clusters.eks import roles
from ml_platform.component import Component
from ml_platform.object_storage import ObjectStorage
from ml_platform.settings import EksCluster

READ_AND_WRITE = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")


class Storage(Component):
    token = "ml-platform:eks:Storage"  # noqa: S105 - a type token

    key: kms.Key
    objects: ObjectStorage | None = None
    registry: pulumi.Output[str]
    users: dict[tuple[str, str], pulumi.Output[str]]
    """The role of each service account that uses buckets."""
    ready: list[pulumi.Resource]
    """The buckets and the rights to them, for which users of buckets wait."""

    def __init__(self, name: str, args: CloudArgs[EksCluster], opts: pulumi.ResourceOptions) -> None:
        super().__init__(name, opts)
        self._name, self._settings, self._ownership = name, args.settings, args.ownership
        self._held = self.child(**cloud.kept(args.settings.data))
        self.key = kms.Key(
            name,
            description=f"Secrets, buckets and images of {name}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            opts=self._held,
        )
        kms.Alias(name, name=f"alias/{name}", target_key_id=self.key.key_id, opts=self.child())
        made = {bucket: self._bucket(bucket, each.versions) for bucket, each in args.settings.buckets.items()}
        self.users, self.ready = {}, list(made.values())
        for user, buckets in _buckets_by_user(args.settings.bucket_users).items():
            self._grant(user, [made[each] for each in buckets])
        if made:
            self.objects = ObjectStorage(
                endpoint=f"https://s3.{args.settings.region}.amazonaws.com",
                region=args.settings.region,
                amazon=True,
                users=args.settings.bucket_users,
            )
        images = dict.fromkeys([*repositories.names(), *args.settings.repositories])
        first, *_ = [self._repository(image) for image in images]
        self.registry = first.repository_url.apply(lambda url: url.rpartition("/")[0])
        self.register_outputs({"buckets": list(made), "registry": self.registry})

    def _bucket(self, name: str, versions: bool) -> s3.Bucket:
        delete = self._settings.data == "delete"
        bucket = s3.Bucket(name, bucket=name, force_destroy=delete, tags=self._ownership.tags, opts=self._held)
        s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._held,
        )
        by_key = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=self.key.arn
        )
        rule = s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=by_key, bucket_key_enabled=True
        )
        s3.BucketServerSideEncryptionConfiguration(name, bucket=bucket.id, rules=[rule], opts=self._held)
        s3.BucketVersioning(
            name, bucket=bucket.id, versioning_configuration={"status": cloud.versioning(versions)}, opts=self._held
        )
        return bucket

    def _grant(self, user: tuple[str, str], buckets: Sequence[s3.Bucket]) -> None:
        """Makes a role with access to these buckets, for one service account."""
        name = roles.name(self._name, ".".join(user))
        role, _ = roles.role(name, roles.PODS, [], self.child())
        arns = pulumi.Output.all(self.key.arn, *(bucket.arn for bucket in buckets))
        self.ready.append(iam.RolePolicy(name, role=role.name, policy=arns.apply(_bucket_policy), opts=self.child()))
        self.users[user] = role.arn

    def _repository(self, image: str) -> ecr.Repository:
        name = f"{self._name}/{image}"
        return ecr.Repository(
            name,
            name=name,
            image_tag_mutability="IMMUTABLE",  # each tag is a digest of the image's sources
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": self.key.arn}],
            force_delete=self._settings.data == "delete",
            opts=self._held,
        )


def _buckets_by_user(users: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], list[str]]:
    """The buckets of each service account, as (namespace, name), from the service accounts of each bucket."""
    found: dict[tuple[str, str], list[str]] = {}
    for user in sorted({user for each in users.values() for user in each}):
        namespace, _, name = user.partition("/")
        found[namespace, name] = [bucket for bucket, each in sorted(users.items()) if user in each]
    return found


def _bucket_policy(arns: Sequence[str]) -> str:
    """The policy of pods that use buckets: read and write them, and use the KMS key that encrypts them. `arns` are
    those of the key and of the buckets."""
    key, *buckets = arns
    return roles.document(
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": buckets},
        {"Effect": "Allow", "Action": list(READ_AND_WRITE), "Resource": [f"{bucket}/*" for bucket in buckets]},
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": [key]},
    )
