"""The composer: from the workloads' settings to data sets, runs and served models, each as its own resource."""

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.component import Component
from ml_platform.handle import PlatformHandle, PlatformOutputs

from ml_workloads.candidate import Candidate
from ml_workloads.dataset import Dataset, DatasetArgs
from ml_workloads.inference_service import InferenceService, InferenceServiceArgs
from ml_workloads.learning_settings import EtlOutput
from ml_workloads.registration import Registration, RegistrationArgs
from ml_workloads.run_outcome import shown
from ml_workloads.serving_settings import ServingSettings
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.spark_application import SparkApplication, SparkApplicationArgs
from ml_workloads.table import Table
from ml_workloads.training_job import TrainingJob, TrainingJobArgs
from ml_workloads.tuning import Tuning, TuningArgs
from ml_workloads.workspace import Workspace, WorkspaceArgs


class Workloads(Component):
    """All work of one namespace."""

    token = "ml-platform:workloads:Workloads"  # noqa: S105 - a type token

    namespace: str
    prediction_urls: dict[str, pulumi.Output[str]]
    """By name of the served model."""
    canary_urls: dict[str, pulumi.Output[str]]
    """Where canaries alone answer, by name of the served model."""
    versions: dict[str, pulumi.Output[str]]
    """The champion of each trained model."""

    def __init__(
        self, name: str, platform: PlatformHandle, settings: WorkloadsSettings, ownership: Mapping[str, str]
    ) -> None:
        super().__init__(name, pulumi.ResourceOptions(provider=platform.provider))
        self.namespace = settings.namespace
        shared = WorkspaceArgs(platform=platform, quota=settings.quota, ownership=ownership)
        workspace = Workspace(settings.namespace, shared, self.child())
        datasets = {
            block: Dataset(block, DatasetArgs(workspace=workspace, settings=each), self.child())
            for block, each in settings.datasets.items()
        }
        etl = self._etl(platform.outputs, settings, datasets)
        tables: dict[str | EtlOutput, Table] = {
            **{block: dataset.table for block, dataset in datasets.items()},
            **{EtlOutput(etl=block): each.table for block, each in etl.items()},
        }
        candidates = self._candidates(workspace, settings, tables)
        gates = [
            Registration(
                block,
                RegistrationArgs(workspace=workspace, candidate=candidates[block], settings=each),
                self.child(),
            )
            for block, each in settings.learning.items()
        ]
        champions = {gate.model: gate.outcome.result for gate in gates}
        services = {
            block: InferenceService(
                block,
                InferenceServiceArgs(workspace=workspace, version=_version(each, champions), settings=each),
                self.child(),
            )
            for block, each in settings.serving.items()
        }
        for gate in gates:
            _warn_of_refusal(gate)
        self.prediction_urls = {block: service.url for block, service in services.items()}
        self.canary_urls = {block: service.canary_url for block, service in services.items() if service.canary_url}
        self.versions = champions
        self.register_outputs({"prediction_urls": self.prediction_urls, "versions": self.versions})

    def exports(self) -> dict[str, Any]:
        """What people, and their clients, have to know of it."""
        return {
            "prediction_urls": self.prediction_urls,
            "canary_urls": self.canary_urls,
            "model_versions": self.versions,
        }

    def _etl(
        self, platform: PlatformOutputs, settings: WorkloadsSettings, datasets: Mapping[str, Dataset]
    ) -> dict[str, SparkApplication]:
        if platform.spark is None:
            return {}  # and no block calls for one: fit.check
        return {
            block: SparkApplication(
                block,
                SparkApplicationArgs(
                    platform=platform,
                    spark=platform.spark,
                    raw=datasets[each.dataset].table,
                    columns=settings.etl_columns(block),
                    settings=each,
                ),
                self.child(),
            )
            for block, each in settings.etl.items()
        }

    def _candidates(
        self, workspace: Workspace, settings: WorkloadsSettings, tables: Mapping[str | EtlOutput, Table]
    ) -> dict[str, Candidate]:
        """What each training and each tuning leaves, by its block."""
        trainings = {
            block: TrainingJob(
                block, TrainingJobArgs(workspace=workspace, table=tables[each.dataset], settings=each), self.child()
            )
            for block, each in settings.training.items()
        }
        tunings = {
            block: Tuning(
                block, TuningArgs(workspace=workspace, table=tables[each.dataset], settings=each), self.child()
            )
            for block, each in settings.tuning.items()
        }
        return {block: run.candidate for runs in (trainings, tunings) for block, run in runs.items()}


def _version(settings: ServingSettings, champions: Mapping[str, pulumi.Output[str]]) -> pulumi.Input[str]:
    choice = settings.model
    return champions[choice.name] if choice.version == "champion" else str(choice.version)


def _warn_of_refusal(gate: Registration) -> None:
    def warn(verdict: list[Any]) -> None:
        accepted, rule, reason, numbers, version = verdict
        if accepted is False:
            pulumi.log.warn(
                f"The gate refused the candidate of {gate.run} by its rule {rule}: {reason} ({shown(numbers)}). "
                f"Version {version} of model {gate.model} stays the champion.",
                gate.outcome,
            )

    outcome = gate.outcome
    pulumi.Output.all(outcome.accepted, outcome.rule, outcome.reason, outcome.numbers, outcome.result).apply(warn)
