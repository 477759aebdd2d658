"""The accounts of a platform's object store with their buckets, and the check that the cluster's buckets are theirs.

All values are plain, so that a choice that can't work is refused before anything of it is declared.
"""

from collections.abc import Collection, Iterator, Sequence

from ml_platform.configuration import PROJECT
from ml_platform.offered import Offered
from ml_platform.settings import PlatformSettings

MLFLOW, WORKLOADS = "mlflow", "workloads"
ACCOUNTS = (MLFLOW, WORKLOADS)
SPARK_DRIVERS = "spark-operator-spark"
"""The service account of drivers and executors in the release of Kubeflow's Spark operator."""

Pod = tuple[str, str]
"""The identity of a pod: the namespace and the name of its service account."""


def accounts(settings: PlatformSettings) -> dict[str, tuple[str, ...]]:
    """The buckets of each account, by its name."""
    return {MLFLOW: (settings.object_store.artifacts,), WORKLOADS: settings.object_store.buckets}


def misfits(settings: PlatformSettings, offered: Offered, workers: Collection[Pod], to: str = "") -> Iterator[str]:
    """Messages about buckets of the cluster that the platform can't use as its settings say.

    Args:
        settings: the platform's.
        offered: what the cluster has.
        workers: the pods of the work.
        to: the part of a command that names the stack whose settings are the cluster's; empty for this one.
    """
    if settings.object_store.source == "cluster":
        yield from _bucket_misfits(settings, offered, to)
        if offered.access == "identity":
            yield from _closed(settings, offered, workers, to)
        elif not offered.keyed:
            yield _keyless(to)


def _bucket_misfits(settings: PlatformSettings, offered: Offered, to: str) -> Iterator[str]:
    path = f"{PROJECT}:platform.object_store"
    wanted = [(f"{path}.artifacts", MLFLOW, settings.object_store.artifacts)]
    wanted += [
        (f"{path}.buckets[{index}]", WORKLOADS, each) for index, each in enumerate(settings.object_store.buckets)
    ]
    there = ", ".join(sorted(offered.buckets)) or "there are none"
    for key, account, bucket in wanted:
        if bucket not in offered.buckets:
            yield (
                f"{key} is {bucket!r}, and with source: cluster it must be a bucket that {PROJECT}:cluster makes"
                f"{_there(to)}: {there}. Declare it there, or name another one:\n"
                f"  pulumi config set --path '{key}' <bucket>"
            )
        elif offered.buckets[bucket].account != account:
            mine = f"{PROJECT}:cluster.buckets.{bucket}.account"
            yield (
                f"{key} is {bucket!r}, and {mine}{_there(to)} is {offered.buckets[bucket].account or 'missing'}: the "
                f"bucket is not open for {account}. Open it, and bring the cluster up:\n"
                f"  pulumi config set{to} --path '{mine}' {account}"
            )


def _keyless(to: str) -> str:
    path = f"{PROJECT}:cluster.object_storage.key_owner"
    return (
        f"{path}{_there(to)} is missing: {PROJECT}:platform.object_store.source is 'cluster', and on IONOS pods use a "
        f"key, which is made for a user. Set it, and bring the cluster up:\n"
        f"  pulumi config set{to} --path '{path}' <the user's id>"
    )


def _closed(settings: PlatformSettings, offered: Offered, workers: Collection[Pod], to: str) -> Iterator[str]:
    spark = settings.add_on("spark")
    if spark and spark.operator == "stackable":
        path = f"{PROJECT}:platform.spark.operator"
        yield (
            f"{path} is 'stackable', which makes a service account for each application; {PROJECT}:platform."
            "object_store.source is 'cluster', and these buckets know pods by their service account. Choose the other "
            f"operator:\n  pulumi config set --path '{path}' kubeflow"
        )
    drivers = [(spark.namespace, SPARK_DRIVERS)] if spark and spark.operator == "kubeflow" else []
    for bucket in settings.object_store.buckets:
        if bucket in offered.buckets:
            used_by, by = offered.buckets[bucket].used_by, f"{PROJECT}:cluster{_there(to)}"
            yield from closed(bucket, used_by, [*workers, *drivers], by, "Open it, and bring the cluster up", to)


def closed(
    bucket: str, used_by: Sequence[str], pods: Collection[Pod], by: str, way_out: str, to: str = ""
) -> Iterator[str]:
    """A message about those of `pods` that a bucket is not open for, which knows pods by their service account; `by` is
    whoever opens it, and `way_out` goes before the commands."""
    missing = [user for user in map("/".join, pods) if user not in used_by]
    if missing:
        path = f"{PROJECT}:cluster.buckets.{bucket}.used_by"
        commands = (
            f"\n  pulumi config set{to} --path '{path}[{at}]' {user}" for at, user in enumerate(missing, len(used_by))
        )
        yield (
            f"{PROJECT}:platform.object_store.buckets names {bucket}, which {by} does not open for service account "
            f"{', '.join(missing)}. {way_out}:{''.join(commands)}"
        )


def _there(to: str) -> str:
    return f" of stack {to.split()[-1]}" if to else ""
