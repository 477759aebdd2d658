"""Whether the workloads that are asked for can be done on the platform that is asked for.

Plain values alone, so that it is asked before anything of either is declared.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ml_platform.configuration import PROJECT, SettingsError, amount
from ml_platform.handle import ServingMode, SparkOperator
from ml_platform.settings import AnyCluster, PlatformSettings, SharedPlatform
from ml_platform.settings.clouds import CloudCluster

from ml_workloads import files
from ml_workloads.data_settings import DataSettings
from ml_workloads.fields import bucket_of
from ml_workloads.pipeline_settings import PLATFORM
from ml_workloads.run_settings import RaySettings
from ml_workloads.serving_settings import OF_REQUESTS, ServingSettings
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.source_settings import SourceSettings
from ml_workloads.torch_settings import TorchSettings


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
        *(files.problems(settings, platform) if isinstance(platform, PlatformSettings) else ()),
        *_spark(settings, spark_operator(platform)),
        *_ray(settings, platform.add_on("ray") is not None),
        *_torch(settings, platform.add_on("training")),
        *_pipelines(settings, isinstance(platform, PlatformSettings) and platform.has_pipelines),
        *_buckets(settings, platform.object_store.buckets),
        *_pools(settings, pools),
        *_quota(settings),
    ]
    if problems:
        raise SettingsError("\n".join(problems))


def check_blocks(
    cluster: AnyCluster, platform: PlatformSettings | SharedPlatform | None, settings: WorkloadsSettings
) -> None:
    """Refuses settings without a platform where they have work, or where the stack does not make its cluster either:
    the block is missing by mistake, and the update would remove the platform.

    Raises:
        SettingsError: naming the block and both ways out.
    """
    if platform:
        return
    if settings.namespaces:
        raise SettingsError(
            f"{PROJECT}:workloads has work, and there is no {PROJECT}:platform that it could be on. Say what the "
            f"platform is, beginning with:\n  {_BEGIN}\n"
            "or, if this stack is to be a cluster and no more, move the work to the stack of its platform:\n"
            f"  pulumi config rm {PROJECT}:workloads"
        )
    if not isinstance(cluster, CloudCluster):
        raise SettingsError(
            f"{PROJECT}:platform is missing, and a cluster of source {cluster.source} is made by others: the stack "
            "would have nothing, and an update would remove what it has. Say what the platform is, beginning with:\n"
            f"  {_BEGIN}\nIf it is to be removed: pulumi destroy"
        )


_BEGIN = f"pulumi config set --path '{PROJECT}:platform.size' standard"


def spark_operator(platform: PlatformSettings | SharedPlatform | None) -> SparkOperator | None:
    """The operator that runs SparkApplications there, if one does."""
    spark = platform.add_on("spark") if platform else None
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


def _hosts(name: str, served: SourceSettings) -> Iterator[str]:
    """Where it answers, in its namespace."""
    yield name
    if served.canary:
        yield f"canary-{name}"


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


def _spark(settings: WorkloadsSettings, spark: SparkOperator | None) -> Iterator[str]:
    for name, run in settings.spark.items():
        path = f"{PROJECT}:workloads.runs.{name}"
        if spark is None:
            yield (
                f"{path} needs Spark, and the platform has no operator for it. Have it install one with:\n"
                f"  pulumi config set --path '{PROJECT}:platform.spark.operator' kubeflow\nor remove the block with:\n"
                f"  pulumi config rm --path '{path}'"
            )
        raw = settings.data[run.data]
        if not raw.stored or raw.format in ("text", "files"):
            form = raw.format or raw.uri or "kept by DVC"
            yield (
                f"{path}.data is {run.data!r}, which is {form}: Spark reads csv, parquet and jsonl from "
                f"the object store. Put it there, or have a run of another operator read it:\n"
                f"  pulumi config set --path '{path}.data' <a block of data>"
            )


def _torch(settings: WorkloadsSettings, training: Any) -> Iterator[str]:
    for name, each in settings.learning.items():
        if not isinstance(each, TorchSettings):
            continue
        if training is None:
            path = f"{PROJECT}:workloads.runs.{name}.operator"
            yield (
                f"{path} is 'torch', and the platform has no operator for trainings in several pods. Have it install "
                f"Kubeflow Trainer with:\n  pulumi config set --path '{PROJECT}:platform.training.v2' true\n"
                f"or run it in one pod, which needs none:\n  pulumi config set --path '{path}' job"
            )
        elif each.image and training.operator != "trainer":
            yield (
                f"{PROJECT}:workloads.runs.{name}.image is {each.image!r}, and the training operator tells no step "
                "before the last of its group. Have the platform install Kubeflow Trainer with:\n"
                f"  pulumi config set --path '{PROJECT}:platform.training.v2' true"
            )


def _pipelines(settings: WorkloadsSettings, there: bool) -> Iterator[str]:
    for name, each in settings.pipelines.items():
        if each.api == PLATFORM and not there:
            path = f"{PROJECT}:workloads.runs.{name}.api"
            yield (
                f"{path} is 'platform', and this stack's platform has no Kubeflow Pipelines. Have it install "
                f"them with:\n  pulumi config set --path '{PROJECT}:platform.kubeflow.pipelines.storage' 20Gi\n"
                f"or name the address of others:\n  pulumi config set --path '{path}' <address>\n"
                f"or have the run's pod do it:\n  pulumi config rm --path '{path}'"
            )


def _buckets(settings: WorkloadsSettings, buckets: Collection[str]) -> Iterator[str]:
    tested = {f"data.{name}.test.uri": each.test.uri for name, each in settings.data.items()}
    places = {
        **{f"data.{name}.{_key_of(each)}": each.place for name, each in settings.watched.items()},
        **{f"runs.{name}.output": each.output for name, each in settings.spark.items()},
        **{f"runs.{name}.output": each.output for name, each in settings.batch.items()},
        **{f"runs.{name}.output": each.output for name, each in settings.pipelines.items()},
        **{f"runs.{name}.checkpoints": each.checkpoints for name, each in settings.torch.items()},
        **dict(files.in_the_store(settings)),
        **{
            f"models.{name}.monitor.quality.labels": each.quality.labels
            for name, each in settings.monitored.items()
            if each.quality
        },
        **({"requests.uri": settings.requests.uri} if settings.requests else {}),
        **{f"data.{name}.dvc.remote": each.dvc.remote for name, each in settings.data.items() if each.dvc},
        **tested,
    }
    wanted = {
        **{key: bucket_of(uri) for key, uri in places.items() if uri},
        **{f"runs.{name}.event_log": each.event_log for name, each in settings.spark.items()},
    }
    for key, bucket in wanted.items():
        if bucket is not None and bucket not in buckets:
            yield (
                f"{PROJECT}:workloads.{key} is in bucket {bucket!r}; allowed: "
                f"{', '.join(buckets) or 'nothing, there are none'}. Name one of them, or have the platform make it, "
                f"in {PROJECT}:platform.object_store.buckets"
            )


def _key_of(data: DataSettings) -> str:
    """The key that says where the data are in the object store."""
    return "upload" if data.upload else "uri"


def _ray(settings: WorkloadsSettings, ray: bool) -> Iterator[str]:
    for name, each in settings.learning.items():
        if isinstance(each, RaySettings) and each.runner == "ray-job" and not ray:
            path = f"{PROJECT}:workloads.runs.{name}.runner"
            yield (
                f"{path} is 'ray-job', and the platform has no KubeRay to run it. Have it installed by `ray: {{}}` "
                f"in {PROJECT}:platform, or run it in a Job, which needs none:\n  pulumi config set --path '{path}' job"
            )


def _pools(settings: WorkloadsSettings, pools: Collection[str]) -> Iterator[str]:
    wanted = {
        **{f"runs.{name}": each.pool for name, each in settings.runs.items()},
        **{f"serving.{name}": each.pool for name, each in settings.serving.items()},
    }
    for block, pool in wanted.items():
        if pool is not None and pool not in pools:
            path = f"{PROJECT}:workloads.{block}.pool"
            yield (
                f"{path} is {pool!r}; allowed: {', '.join(pools) or 'nothing, there are none'}. Declare it in "
                f"{PROJECT}:cluster.pools, or have the work done wherever there is room:\n"
                f"  pulumi config rm --path '{path}'"
            )


def _quota(settings: WorkloadsSettings) -> Iterator[str]:
    """Pods that a namespace's quota or their own limits never let in."""
    sizes = {
        **{f"runs.{name}": each.resources for name, each in {**settings.learning, **settings.pipelines}.items()},
        **{f"serving.{name}": each.resources for name, each in settings.serving.items()},
    }
    for block, size in sizes.items():
        for key, limit in (("cpu", size.cpu_limit), ("memory", size.memory_limit)):
            asked, most = getattr(size, key), getattr(settings.quota, key)
            path = f"{PROJECT}:workloads.{block}.resources.{key}"
            if amount(asked) > amount(limit):
                yield (
                    f"{path} is {asked!r}, more than {key}_limit, which is {limit!r}. Raise that with:\n"
                    f"  pulumi config set --path '{path}_limit' {asked}"
                )
            elif amount(limit) > amount(most):
                yield (
                    f"{path}_limit is {limit!r}, and the quota of all pods together is {most!r}. Raise that with:\n"
                    f"  pulumi config set --path '{PROJECT}:workloads.quota.{key}' {limit}"
                )
