"""Whether the workloads that are asked for can be done on the platform that is asked for.

Plain values alone, so that it is asked before anything of either is declared.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.handle import ServingMode, SparkOperator
from ml_platform.settings import PlatformSettings, SharedPlatform

from ml_workloads.etl_settings import EtlSettings
from ml_workloads.learning_settings import LearningSettings
from ml_workloads.serving_settings import OF_REQUESTS, ServingSettings
from ml_workloads.settings import WorkloadsSettings


def check(
    settings: WorkloadsSettings, platform: PlatformSettings | SharedPlatform, *, pools: Collection[str] = ()
) -> None:
    """Refuses what that platform can't do, on a cluster with these node pools.

    Raises:
        SettingsError: naming each setting, the reason and the way out.
    """
    problems = [
        *_serving(settings, platform.serving.mode),
        *_certified(settings, platform.certified_below),
        *_etl(settings, spark_operator(platform)),
        *_tuning(settings, platform.add_on("ray") is not None),
        *_buckets(settings, platform.object_store.buckets),
        *_pools(settings, pools),
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def spark_operator(platform: PlatformSettings | SharedPlatform) -> SparkOperator | None:
    """The operator that runs SparkApplications there, if one does."""
    spark = platform.add_on("spark")
    return spark.operator if spark else None


def _serving(settings: WorkloadsSettings, mode: ServingMode) -> Iterator[str]:
    other = "knative" if mode == "standard" else "standard"
    for name, each in settings.serving.items():
        for key, reason, instead in _misfits(each, mode):
            path = f"{PROJECT}:workloads.serving.{name}.{key}"
            change = "rm" if instead is None else "set"
            yield (
                f"{path} is {getattr(each, key)}: in serving mode {mode} {reason}. Change it with:\n"
                f"  pulumi config {change} --path '{path}' {instead or ''}\nor choose the other mode, which can:\n"
                f"  pulumi config set --path '{PROJECT}:platform.serving.mode' {other}"
            )


def _certified(settings: WorkloadsSettings, certified: Sequence[str] | None) -> Iterator[str]:
    """Models that no client would trust."""
    star = f"*.{settings.namespace}"
    for name, each in settings.serving.items():
        for host in _hosts(name, each):
            below = f"{host}.{settings.namespace}"
            if certified is not None and not {below, star} & set(certified):
                yield (
                    f"{PROJECT}:workloads.serving.{name} answers at {below}.<domain>, and the gateway's certificate is "
                    f"for {', '.join(certified) or 'no model'}. Have it issued for {star}, or for each host of it:\n"
                    f"  pulumi config set --path '{PROJECT}:platform.gateway.tls.hosts[0]' '{star}'"
                )


def _hosts(name: str, served: ServingSettings) -> Iterator[str]:
    """Where it answers, in its namespace."""
    host, of_canary = (name, "canary") if served.split_by == "route" else (f"{name}-predictor", "latest")
    yield host
    if served.canary:
        yield f"{of_canary}-{host}"


def _misfits(served: ServingSettings, mode: ServingMode) -> Iterator[tuple[str, str, str | None]]:
    """Keys whose values a mode can't do, why, and a value that it can, if any."""
    metric = served.scale_metric
    if mode == "knative":
        if metric and metric not in OF_REQUESTS:
            yield "scale_metric", "replicas are counted by requests; allowed: concurrency, rps", OF_REQUESTS[0]
        return
    if served.min_replicas == 0:
        yield "min_replicas", "nothing wakes a sleeping model; it must be 1 or more", "1"
    if served.container_concurrency:
        yield "container_concurrency", "nothing holds requests back; there must be no limit", None
    if metric in OF_REQUESTS:
        yield "scale_metric", "nothing counts requests; allowed: cpu, memory", "cpu"
    if served.split_by == "kserve":
        yield "split_by", "KServe has no split of its own; allowed: route", "route"


def _etl(settings: WorkloadsSettings, spark: SparkOperator | None) -> Iterator[str]:
    for name in settings.etl:
        path = f"{PROJECT}:workloads.etl.{name}"
        if spark is None:
            yield (
                f"{path} needs Spark, and the platform has no operator for it. Have it install one with:\n"
                f"  pulumi config set --path '{PROJECT}:platform.spark.operator' kubeflow\nor remove the block with:\n"
                f"  pulumi config rm --path '{path}'"
            )


def _buckets(settings: WorkloadsSettings, buckets: Collection[str]) -> Iterator[str]:
    wanted = {
        **{f"datasets.{name}.bucket": each.bucket for name, each in settings.datasets.items()},
        **{f"etl.{name}.bucket": each.bucket for name, each in settings.etl.items()},
        **{f"etl.{name}.event_log": each.event_log for name, each in settings.etl.items()},
    }
    for key, bucket in wanted.items():
        if bucket is not None and bucket not in buckets:
            yield (
                f"{PROJECT}:workloads.{key} is {bucket!r}; allowed: {', '.join(buckets) or 'nothing, there are none'}. "
                f"Name one of them, or have the platform make it, in {PROJECT}:platform.object_store.buckets"
            )


def _tuning(settings: WorkloadsSettings, ray: bool) -> Iterator[str]:
    for name, each in settings.tuning.items():
        if each.runner == "ray-job" and not ray:
            path = f"{PROJECT}:workloads.tuning.{name}.runner"
            yield (
                f"{path} is 'ray-job', and the platform has no KubeRay to run it. Have it installed by `ray: {{}}` "
                f"in {PROJECT}:platform, or run it in a Job, which needs none:\n  pulumi config set --path '{path}' job"
            )


def _pools(settings: WorkloadsSettings, pools: Collection[str]) -> Iterator[str]:
    blocks: Mapping[str, Mapping[str, EtlSettings | LearningSettings | ServingSettings]] = {
        "etl": settings.etl,
        "training": settings.training,
        "tuning": settings.tuning,
        "serving": settings.serving,
    }
    wanted = {f"{kind}.{name}": each.pool for kind, named in blocks.items() for name, each in named.items()}
    for block, pool in wanted.items():
        if pool is not None and pool not in pools:
            path = f"{PROJECT}:workloads.{block}.pool"
            yield (
                f"{path} is {pool!r}; allowed: {', '.join(pools) or 'nothing, there are none'}. Declare it in "
                f"{PROJECT}:cluster.pools, or have the work done wherever there is room:\n"
                f"  pulumi config rm --path '{path}'"
            )
