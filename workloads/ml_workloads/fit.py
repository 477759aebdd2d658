"""Whether the workloads that are asked for can be done on the platform that is asked for.

Plain values alone, so that it is asked before anything of either is declared.
"""

from collections.abc import Collection, Iterator

from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.handle import ServingMode, SparkOperator

from ml_workloads.settings import WorkloadsSettings


def check(
    settings: WorkloadsSettings, *, serving: ServingMode, spark: SparkOperator | None, buckets: Collection[str]
) -> None:
    """Refuses what a platform that serves so, with this operator of Spark and these buckets, can't do.

    Raises:
        SettingsError: naming each setting, the reason and the way out.
    """
    problems = [*_serving(settings, serving), *_etl(settings, spark, buckets)]
    if problems:
        raise SettingsError("\n".join(problems))


def _serving(settings: WorkloadsSettings, mode: ServingMode) -> Iterator[str]:
    for name, each in settings.serving.items():
        if mode == "standard" and each.min_replicas == 0:
            path = f"{PROJECT}:workloads.serving.{name}.min_replicas"
            yield (
                f"{path} is 0: in serving mode standard nothing wakes a sleeping model; it must be 1 or more. Set it "
                f"with:\n  pulumi config set --path '{path}' 1\nor serve with Knative, which can:\n"
                f"  pulumi config set --path '{PROJECT}:platform.serving.mode' knative"
            )


def _etl(settings: WorkloadsSettings, spark: SparkOperator | None, buckets: Collection[str]) -> Iterator[str]:
    for name, each in settings.etl.items():
        path = f"{PROJECT}:workloads.etl.{name}"
        if spark is None:
            yield (
                f"{path} needs Spark, and the platform has no operator for it. Have it install one with:\n"
                f"  pulumi config set --path '{PROJECT}:platform.spark.operator' kubeflow\nor remove the block with:\n"
                f"  pulumi config rm --path '{path}'"
            )
        for key, bucket in (("bucket", each.bucket), ("event_log", each.event_log)):
            if bucket is not None and bucket not in buckets:
                yield (
                    f"{path}.{key} is {bucket!r}; allowed: {', '.join(buckets) or 'nothing, there are none'}. Name one "
                    f"of them, or have the platform make it, in {PROJECT}:platform.object_store.buckets"
                )
