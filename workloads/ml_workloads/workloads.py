"""The composer: from the workloads' settings to data, runs, gates and served models, each as its own resource."""

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.component import Component
from ml_platform.handle import PlatformHandle

from ml_workloads import packages, watching
from ml_workloads.batch import BatchArgs, score
from ml_workloads.batch_settings import BatchSettings
from ml_workloads.collector import Collector, CollectorArgs
from ml_workloads.data import Data, DataArgs
from ml_workloads.export import ExportArgs, export
from ml_workloads.export_settings import ExportSettings
from ml_workloads.gate import Gate, GateArgs
from ml_workloads.inference_service import InferenceService, InferenceServiceArgs
from ml_workloads.learning import LearningArgs, learn
from ml_workloads.monitor import Monitor, MonitorArgs, name_of
from ml_workloads.monitor_settings import MonitorSettings
from ml_workloads.packages import NONE
from ml_workloads.pipeline_run import PipelineArgs, PipelineRun, artifacts, table_of
from ml_workloads.pipeline_run import run as run_pipeline
from ml_workloads.pipeline_settings import PipelineSettings
from ml_workloads.promotion import promoted
from ml_workloads.recorded import COLLECTOR, Recorded
from ml_workloads.run import Run
from ml_workloads.served import sources
from ml_workloads.settings import Learning, WorkloadsSettings
from ml_workloads.source_settings import AnySource
from ml_workloads.spark_application import SparkApplication, SparkArgs
from ml_workloads.table import TABLE, Table
from ml_workloads.transformer import Transformer
from ml_workloads.workspace import Workspace, WorkspaceArgs


class Workloads(Component):
    """All work of one namespace."""

    token = "ml-platform:workloads:Workloads"  # noqa: S105 - a type token

    namespace: str
    prediction_urls: dict[str, pulumi.Output[str]]
    """By name of the served model."""
    canary_urls: dict[str, pulumi.Output[str]]
    """Where canaries alone answer, by name of the served model."""
    v1_urls: dict[str, pulumi.Output[str]]
    """Where protocol v1 is answered, by name of the served model."""
    cluster_urls: dict[str, pulumi.Output[str]]
    """Where pods of the cluster ask, by name of the served model."""
    versions: dict[str, pulumi.Output[str]]
    """The champion of each model that a run has a candidate for."""
    scores: dict[str, pulumi.Output[str]]
    """Where the parts of each run that scores data are, by its name."""
    files: dict[str, pulumi.Output[str]]
    """Where the files are that each run has exported, by its name."""
    artifacts: dict[str, pulumi.Output[str]]
    """Where the artifacts of each pipeline's first run are, by its name."""

    def __init__(
        self, name: str, platform: PlatformHandle, settings: WorkloadsSettings, ownership: Mapping[str, str]
    ) -> None:
        super().__init__(name, pulumi.ResourceOptions(provider=platform.provider))
        self.namespace, self._settings, self._platform = settings.namespace, settings, platform.outputs
        self._packages = packages.of_models(settings)
        apart = (COLLECTOR,) if settings.kept else ()
        shared = WorkspaceArgs(
            platform=platform, quota=settings.quota, ownership=ownership, claims=settings.claims, apart=apart
        )
        workspace = Workspace(settings.namespace, shared, self.child())
        if settings.requests and settings.kept:
            collecting = CollectorArgs(workspace=workspace, settings=settings.requests, services=settings.kept)
            Collector(COLLECTOR, collecting, self.child())
        made = self._tables(workspace)
        pipelines = self._pipelines(workspace, made)
        tables = {**made, **self._of_pipelines(pipelines)}
        wanted = self._judged(workspace, {**self._learned(workspace, tables), **pipelines}, tables)
        services = self._services(workspace, wanted)
        self.scores = {block: self._scored(workspace, block, each, tables) for block, each in settings.batch.items()}
        for model, monitor in settings.monitored.items():
            self._looked_at(workspace, model, monitor)
        self.artifacts = {block: artifacts(settings.pipelines[block], run) for block, run in pipelines.items()}
        self.prediction_urls = {block: service.url for block, service in services.items()}
        self.canary_urls = {block: service.canary_url for block, service in services.items() if service.canary_url}
        self.v1_urls = {block: service.v1_url for block, service in services.items() if service.v1_url}
        self.cluster_urls = {block: service.cluster_url for block, service in services.items() if service.cluster_url}
        self.register_outputs({"prediction_urls": self.prediction_urls, "versions": self.versions})

    def exports(self) -> dict[str, Any]:
        """What people, and their clients, have to know of it."""
        return {
            "prediction_urls": self.prediction_urls,
            "canary_urls": self.canary_urls,
            "v1_urls": self.v1_urls,
            "cluster_urls": self.cluster_urls,
            "model_versions": self.versions,
            "scores": self.scores,
            "files": self.files,
            "artifacts": self.artifacts,
        }

    def _learned(self, workspace: Workspace, tables: Mapping[str, Table]) -> dict[str, Run]:
        def args(run: Learning) -> LearningArgs:
            return LearningArgs(
                workspace=workspace,
                table=tables[str(run.data)],
                settings=run,
                model=self._settings.models[str(run.model)],
                packages=self._packages[str(run.model)],
            )

        return {block: learn(block, args(run), self) for block, run in self._settings.learning.items()}

    def _services(self, workspace: Workspace, wanted: Mapping[str, pulumi.Output[str]]) -> dict[str, InferenceService]:
        """All that answers. What is served from a volume waits for its run, which waits for the champion, which waits
        for all that follows it."""
        serving = self._settings.serving.items()
        services = {
            block: self._served(workspace, block, each, wanted, {}) for block, each in serving if not each.exported
        }
        self.versions = {
            model: self._champion(workspace, model, version, services) for model, version in wanted.items()
        }
        self.files = {block: self._exported(workspace, block, each) for block, each in self._settings.exports.items()}
        services |= {
            block: self._served(workspace, block, each, wanted, self.files) for block, each in serving if each.exported
        }
        return {block: services[block] for block, _ in serving}

    def _exported(self, workspace: Workspace, block: str, settings: ExportSettings) -> pulumi.Output[str]:
        args = ExportArgs(workspace=workspace, settings=settings, version=self._version_of(settings))
        return export(block, args, self)

    def _version_of(self, settings: BatchSettings | ExportSettings) -> pulumi.Input[str]:
        """That of the model of a run."""
        return self.versions[settings.model] if settings.version == "champion" else str(settings.version)

    def _pipelines(self, workspace: Workspace, tables: Mapping[str, Table]) -> dict[str, PipelineRun]:
        def args(run: PipelineSettings) -> PipelineArgs:
            own = self._packages[run.model] if run.model else NONE
            return PipelineArgs(workspace=workspace, settings=run, tables=tables, packages=own)

        return {block: run_pipeline(block, args(run), self) for block, run in self._settings.pipelines.items()}

    def _of_pipelines(self, made: Mapping[str, PipelineRun]) -> dict[str, Table]:
        """The tables that pipelines leave, by the names that runs have for them."""
        learned = {block: self._settings.pipelines[block].table for block in made}
        return {f"{block}.{TABLE}": table_of(block, made[block], each) for block, each in learned.items() if each}

    def _champion(
        self,
        workspace: Workspace,
        model: str,
        wanted: pulumi.Output[str],
        services: Mapping[str, InferenceService],
    ) -> pulumi.Output[str]:
        """The champion when all that follows it serves."""
        urls = [services[each].url for each in self._settings.followers(model)]
        return promoted(model, workspace, wanted, urls, self) if urls else wanted

    def _scored(
        self, workspace: Workspace, block: str, settings: BatchSettings, tables: Mapping[str, Table]
    ) -> pulumi.Output[str]:
        args = BatchArgs(
            workspace=workspace,
            table=tables[settings.data],
            settings=settings,
            version=self._version_of(settings),
            packages=self._packages.get(settings.model, NONE),
        )
        return score(block, args, self)

    def _served(
        self,
        workspace: Workspace,
        block: str,
        settings: AnySource,
        wanted: Mapping[str, pulumi.Output[str]],
        exported: Mapping[str, pulumi.Output[str]],
    ) -> InferenceService:
        recorded = self._recorded(block, settings)
        source, canary = sources(block, settings, workspace, wanted, self._packages, exported, recorded, self)
        before = Transformer.of(block, settings.transformer, workspace) if settings.transformer else None
        args = InferenceServiceArgs(
            workspace=workspace, settings=settings, source=source, canary=canary, transformer=before
        )
        return InferenceService(block, args, self.child())

    def _looked_at(self, workspace: Workspace, model: str, settings: MonitorSettings) -> None:
        """Declares what looks at a deployed model."""
        kept = self._settings.requests
        if kept is None:
            return  # and no model is monitored: WorkloadsSettings
        args = MonitorArgs(
            workspace=workspace,
            model=model,
            settings=settings,
            requests=kept.uri,
            services=watching.asked_by(self._settings, model),
            metric=watching.metric_of(self._settings, model, settings.quality) if settings.quality else None,
        )
        Monitor(name_of(model), args, self.child())

    def _recorded(self, block: str, settings: AnySource) -> Recorded | None:
        """The block's requests, where they are kept."""
        kept = self._settings.requests
        if kept is None or settings.requests is None:
            return None
        return Recorded(block=block, namespace=self.namespace, every=kept.every, settings=settings.requests)

    def _tables(self, workspace: Workspace) -> dict[str, Table]:
        """The data, and what the runs of Spark leave, by the names that runs have for them."""
        settings, spark = self._settings, self._platform.spark
        data = {
            block: Data(block, DataArgs(workspace=workspace, settings=each), self.child()).table
            for block, each in settings.data.items()
        }
        if spark is None:
            return data  # and no run calls for Spark: capabilities.check
        made = {
            block: SparkApplication(
                block,
                SparkArgs(
                    platform=self._platform,
                    spark=spark,
                    raw=data[run.data],
                    settings=run,
                    learned=settings.learned(f"{block}.{TABLE}"),
                ),
                self.child(),
            )
            for block, run in settings.spark.items()
        }
        return {**data, **{f"{block}.{TABLE}": run.table for block, run in made.items()}}

    def _judged(
        self, workspace: Workspace, runs: Mapping[str, Run], tables: Mapping[str, Table]
    ) -> dict[str, pulumi.Output[str]]:
        """The version of each model that is to serve all, after the gates of all runs that have a candidate for it."""
        champions: dict[str, pulumi.Output[str]] = {}
        for block, run in self._settings.judged.items():
            model = str(run.model)
            args = GateArgs(
                workspace=workspace,
                model=model,
                rules=self._settings.models[model],
                packages=self._packages[model],
                candidate=runs[block],
                settings=run,
                table=tables[str(run.data)],
                promotes=not self._settings.followers(model),
                before=champions.get(model),
            )
            champions[model] = Gate(block, args, self.child()).champion
        return champions
