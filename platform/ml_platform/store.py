"""The accounts of the object store that the settings choose, with their buckets, and the check of that choice.

All values are plain: a cluster needs the accounts when it makes its buckets, and a choice that can't work is refused
before.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings import AnyCluster, EksCluster, IonosCluster, PlatformSettings, SharedPlatform
from ml_platform.settings.clouds import CloudCluster

MLFLOW, WORKLOADS = "mlflow", "workloads"
SPARK_DRIVERS = "spark-operator-spark"
"""The service account of drivers and executors in the release of Kubeflow's Spark operator."""

Pod = tuple[str, str]
"""The identity of a pod: the namespace and the name of its service account."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account at the object store: its buckets, and the pods that use them."""

    buckets: tuple[str, ...]
    pods: tuple[Pod, ...]


def accounts(settings: PlatformSettings, workers: Collection[Pod] = ()) -> dict[str, Account]:
    """All accounts by name; `workers` are the pods of the workloads."""
    store, spark = settings.object_store, settings.add_on("spark")
    drivers = [(spark.namespace, SPARK_DRIVERS)] if spark and spark.operator == "kubeflow" else []
    return {
        MLFLOW: Account(buckets=(store.artifacts,), pods=(("mlflow", "mlflow"),)),
        WORKLOADS: Account(buckets=store.buckets, pods=(*workers, *drivers)),
    }


def of_cluster(
    cluster: AnyCluster, settings: PlatformSettings | SharedPlatform, workers: Collection[Pod]
) -> Mapping[str, Account]:
    """The accounts that use buckets of the cluster; none, if the object store is another one.

    Raises:
        SettingsError: the cluster does not make these buckets, or can't give the accounts access to them.
    """
    if isinstance(settings, SharedPlatform) or not isinstance(cluster, CloudCluster):
        return {}
    if settings.object_store.source != "cluster":
        return {}
    found = accounts(settings, workers)
    _check_buckets(cluster, found)
    _check_credentials(cluster, settings)
    return found


def _check_credentials(cluster: CloudCluster, settings: PlatformSettings) -> None:
    source = f"{PROJECT}:platform.object_store.source is 'cluster'"
    if isinstance(cluster, IonosCluster) and cluster.object_storage.key_owner is None:
        path = f"{PROJECT}:cluster.object_storage.key_owner"
        raise SettingsError(
            f"{path} is missing: {source}, and on IONOS pods use a key, which is made for a user. Set it with:\n"
            f"  pulumi config set --path '{path}' <the user's id>"
        )
    spark = settings.add_on("spark")
    if isinstance(cluster, EksCluster) and spark and spark.operator == "stackable":
        path = f"{PROJECT}:platform.spark.operator"
        raise SettingsError(
            f"{path} is 'stackable', which makes a service account for each application; {source}, and EKS knows pods "
            f"by their service account. Choose the other operator:\n  pulumi config set --path '{path}' kubeflow"
        )


def _check_buckets(cluster: CloudCluster, found: Mapping[str, Account]) -> None:
    there, path = cluster.bucket_users, f"{PROJECT}:platform.object_store"
    wanted = {
        f"{path}.artifacts": found[MLFLOW].buckets[0],
        **{f"{path}.buckets[{index}]": bucket for index, bucket in enumerate(found[WORKLOADS].buckets)},
    }
    for key, bucket in wanted.items():
        if bucket not in there:
            raise SettingsError(
                f"{key} is {bucket!r}, and with source: cluster it must be a bucket that {PROJECT}:cluster makes: "
                f"{', '.join(there) or 'there are none'}. Declare it there, or name another one:\n"
                f"  pulumi config set --path '{key}' <bucket>"
            )
    pods = {f"{namespace}/{name}" for account in found.values() for namespace, name in account.pods}
    for bucket, users in there.items():
        for user in pods.intersection(users):
            raise SettingsError(
                f"{PROJECT}:cluster.buckets.{bucket}.used_by names {user}, whose buckets {path} chooses already. "
                "Remove it there: a service account has one identity"
            )
