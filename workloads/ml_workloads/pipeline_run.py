"""A run of a pipeline of Kubeflow Pipelines: one Job in which kfp's own local runner starts the stages, or which has
Kubeflow Pipelines run them and waits.

Functions from settings to a run. What the pipeline's file says is known to the run itself; of a compiled package it is
read here already, so that a preview refuses what the run would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.configuration import require_secret
from ml_platform.objects import KubernetesObject

from ml_workloads import job, pipeline_package, script
from ml_workloads.data_settings import LearnedSettings
from ml_workloads.job import MOUNTS
from ml_workloads.packages import NONE, PIPELINE, Packages
from ml_workloads.pipeline_settings import PLATFORM, SECRETS, PipelineSettings
from ml_workloads.run import Run, RunArgs, key
from ml_workloads.table import TABLE, Table
from ml_workloads.workspace import Workspace

ARTIFACTS = "artifacts"
"""The name of what every pipeline leaves: the prefix of what its stages have left."""
JOB = "ML_JOB"
"""The variable with the name of the Job: by the clock, the same pipeline is another run each time."""
SERVING = "serving.kserve.io"


class PipelineRun(Run):
    token = "ml-platform:workloads:PipelineRun"  # noqa: S105 - a type token
    kind = "job"


@dataclass(frozen=True, kw_only=True)
class PipelineArgs:
    workspace: Workspace
    settings: PipelineSettings
    tables: Mapping[str, Table]
    """By the names that runs have for them."""
    packages: Packages = NONE
    """Those of the model."""


def run(name: str, args: PipelineArgs, parent: Component) -> PipelineRun:
    """Declares the run as a child of `parent`, and the clock that starts it again."""
    arguments, settings = _arguments(name, args), args.settings
    made = PipelineRun(name, arguments, parent.child())
    if settings.schedule:
        again = job.by_clock(arguments, settings.schedule)
        KubernetesObject(f"{name}-clock", again, parent.child(depends_on=[made.outcome]))
    return made


def artifacts(settings: PipelineSettings, made: PipelineRun) -> pulumi.Output[str]:
    """Where those of the first run are, when it has left them."""
    found = pulumi.Output.all(made.key, made.outcome.outputs)
    return found.apply(lambda values: f"{settings.output}{values[0]}/")


def table_of(name: str, made: PipelineRun, learned: LearnedSettings) -> Table:
    """What a stage has left as a table, and what is learned from it."""
    digest = made.outcome.output(TABLE)
    described = {**learned.learned, "uri": made.outcome.output("uri"), "format": "parquet", "sha256": digest}
    return Table(what={**learned.learned, "run": name}, described=described, version=digest)


def _arguments(name: str, args: PipelineArgs) -> RunArgs:
    workspace, settings = args.workspace, args.settings
    files, what = _files(name, settings), _what(settings)
    run_key = _key(name, args, what, files)
    image = workspace.platform.image(args.packages.image(PIPELINE))
    return RunArgs(
        place=workspace.place,
        block=name,
        key=run_key,
        account=f"run-{name}",
        description={**what, **_given(args), "code_version": image.partition("@")[2]},
        files=files,
        beside=_secrets(name, run_key, args),
        pod=job.pod(
            run_key,
            f"run-{name}",
            settings.scratch,
            workspace.platform.placed(settings.pool),
            containers=[_container(args, run_key, image)],
            volumes=[pods.claimed(claim, claim) for claim in sorted({*settings.volumes.values()})],
        ),
        rights=_rights(settings),
        manifest=job.manifest,
        timeout=settings.timeout,
        retries=settings.retries,
        leaves="model" if settings.model else TABLE if settings.table else ARTIFACTS,
        repeats=settings.schedule is not None,
    )


def _what(settings: PipelineSettings) -> dict[str, Any]:
    """What is told of it that is the same whatever the data are."""
    model = {"model": settings.model} if settings.model else {}
    table = {"table": True} if settings.table else {}
    return {"pipeline": _base(settings.pipeline), "output": settings.output, **table, **model}


def _given(args: PipelineArgs) -> dict[str, Any]:
    """Its parameters, what its model learns from, and who runs it."""
    settings, tables = args.settings, args.tables
    places = {name: tables[data].described["uri"] for name, data in sorted(settings.inputs.items())}
    data = {"data": tables[settings.data].described} if settings.data else {}
    address = args.workspace.platform.pipelines if settings.api == PLATFORM else settings.api
    api = {} if address is None else {"api": address}
    # What the stages serve is accepted from when KServe is there.
    ready = [args.workspace.platform.serving] if settings.services else []
    parameters = pulumi.Output.all({**settings.parameters, **places}, *ready).apply(lambda found: found[0])
    return {"parameters": parameters, **data, **api}


def _key(name: str, args: PipelineArgs, what: Mapping[str, Any], files: Mapping[str, str]) -> pulumi.Output[str]:
    settings = args.settings
    used = [args.tables[data] for data in sorted({*settings.inputs.values(), *filter(None, [settings.data])})]
    return key(
        name,
        pulumi.Output.all(*(each.version for each in used)),
        what,
        settings.parameters,
        settings.inputs,
        [each.what for each in used],
        files,
        *args.packages.decisive,
    )


def _files(name: str, settings: PipelineSettings) -> dict[str, str]:
    """The pipeline and its modules, by the names that they have in the pod."""
    found = {_base(path): script.text(f"runs.{name}.modules", path) for path in settings.modules}
    text = script.text(f"runs.{name}.pipeline", settings.pipeline)
    if settings.pipeline.endswith(".yaml"):
        pipeline_package.check(name, settings, text)
    return {**found, _base(settings.pipeline): text}


def _secrets(name: str, run_key: pulumi.Output[str], args: PipelineArgs) -> dict[str, Mapping[str, Any]]:
    if not args.settings.secrets:
        return {}
    config = pulumi.Config(SECRETS)
    values = {
        secret: require_secret(config, secret, f"what the stages of runs.{name} find as {variable}")
        for variable, secret in args.settings.secrets.items()
    }
    meta = args.workspace.place.metadata(name, name=_secret(run_key))
    return {"secrets": pods.secret(meta, values)}


def _secret(run_key: pulumi.Output[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat(run_key, "-secrets")


def _container(args: PipelineArgs, run_key: pulumi.Output[str], image: str) -> dict[str, Any]:
    workspace, settings = args.workspace, args.settings
    given = {variable: pods.secret_key(_secret(run_key), secret) for variable, secret in settings.secrets.items()}
    itself = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    container = pods.container(
        "pipeline",
        image,
        settings.resources,
        env={
            **workspace.environment(),
            "MLFLOW_TRACKING_URI": workspace.platform.mlflow_url,
            JOB: itself,
            **given,
        },
        mounts=MOUNTS,
        args=["ml_runtime.pipeline"],
    )
    # One claim may be mounted at several places.
    mounts = [{"name": claim, "mountPath": folder} for folder, claim in sorted(settings.volumes.items())]
    return {**container, "volumeMounts": [*container["volumeMounts"], *mounts]}


def _rights(settings: PipelineSettings) -> list[dict[str, Any]]:
    """What the stages may do to the services that they make; of what is not there yet, a right knows no name."""
    if not settings.services:
        return []
    services = {"apiGroups": [SERVING], "resources": ["inferenceservices"]}
    return [
        {**services, "resourceNames": list(settings.services), "verbs": ["get", "patch", "update", "delete"]},
        {**services, "verbs": ["create"]},
    ]


def _base(path: str) -> str:
    return path.rpartition("/")[2]
