"""An ETL run by Spark: a SparkApplication of whichever operator the platform has, and its verdict.

A run is never edited, since one of the operators ignores edits silently. Its name carries a hash of all that it runs:
image, program, raw data, rules, sizes. What became of it is a RunOutcome, which believes the run, not its operator.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from ml_platform import names, pods
from ml_platform.component import Component, after
from ml_platform.handle import PlatformOutputs, SparkAccess
from ml_platform.objects import KubernetesObject

from ml_workloads import script
from ml_workloads.etl_settings import EtlSettings
from ml_workloads.run_outcome import RunOutcome
from ml_workloads.spark_manifests import FOLDER, VERSIONS, Application, configuration, manifest
from ml_workloads.table import Table

RUNTIME = Path(__file__).resolve().parents[1] / "ml_runtime"
MODULES = ("__init__", "command", "errors", "etl", "etl_spec", "patience", "report", "rows", "spec", "verdict")
"""Of ml_runtime, what the program imports: it comes with the run, since an operator's own image has none of it."""
SPEC, SCRIPT = "etl.json", "main.py"


@dataclass(frozen=True, kw_only=True)
class SparkApplicationArgs:
    platform: PlatformOutputs
    spark: SparkAccess
    raw: Table
    columns: tuple[str, ...]
    """Of the table that the run leaves."""
    settings: EtlSettings


class SparkApplication(Component):
    token = "ml-platform:workloads:SparkApplication"  # noqa: S105 - a type token

    run: str
    """Key of the run, and name of its application and of the ConfigMap with its verdict."""
    outcome: RunOutcome
    table: Table
    """What it leaves."""

    def __init__(self, name: str, args: SparkApplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        own = {SCRIPT: script.text(f"etl.{name}.script", args.settings.script)} if args.settings.script else {}
        self._texts = {**{f"{module}.py": (RUNTIME / f"{module}.py").read_text() for module in MODULES}, **own}
        self.run = f"{name}-{pods.digest(self._what(), args.raw.version, self._texts)}"
        needs = [
            KubernetesObject(f"{name}-program", self._program(), self.child()),
            # Without data: the run writes the verdict, and nothing else may.
            KubernetesObject(f"{name}-verdict", self._configmap(self.run), self.child()),
            *(KubernetesObject(f"{name}-keys", secret, self.child()) for secret in self._keys()),
        ]
        application = KubernetesObject(
            name, manifest(args.spark.operator, self._application()), self.child(depends_on=needs)
        )
        self.outcome = RunOutcome(
            name,
            kubeconfig=args.platform.kubeconfig,
            namespace=args.spark.namespace,
            run=self.run,
            timeout=args.settings.timeout,
            result="sha256",
            kind=args.spark.operator,
            opts=self.child(depends_on=[application]),
        )
        self.table = Table(
            bucket=args.settings.bucket,
            path=self._output,
            key=after(self._output, self.outcome),
            columns=args.columns,
            version=self.run,
            sha256=self.outcome.result,
        )
        self.register_outputs({"run": self.run, "sha256": self.outcome.result})

    @property
    def _output(self) -> str:
        return self._args.settings.output or f"{self._name}/preprocessed/"

    @property
    def _image(self) -> str | None:
        own = self._args.platform.image("spark") if self._args.spark.operator == "kubeflow" else None
        return self._args.settings.image or own

    @property
    def _placed(self) -> pods.Placement:
        return self._args.platform.placed(self._args.settings.pool)

    def _what(self) -> dict[str, Any]:
        """All that the run does; how long it may take is no reason for a new one."""
        spark = self._args.spark
        return {
            # Teams with stacks of their own share the namespace of runs.
            "stack": pulumi.get_stack(),
            "image": self._image,
            "operator": spark.operator,
            "version": VERSIONS[spark.operator],
            "raw": {"bucket": self._args.raw.bucket, "key": self._args.raw.path},
            "columns": list(self._args.raw.columns),
            "settings": self._args.settings.model_dump(mode="json", exclude={"dataset", "pool", "timeout"}),
            **self._placed,
        }

    def _meta(self, name: str) -> dict[str, Any]:
        labels = names.stack_labels()
        # From the platform, so that all of it is declared when it can be accepted.
        return {**pods.metadata(name, self._args.spark.namespace, labels), "namespace": self._args.spark.jobs}

    def _configmap(self, name: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._meta(name)}

    def _program(self) -> dict[str, Any]:
        settings, raw = self._args.settings, self._args.raw
        spec = {
            "run": self.run,
            "raw": {"bucket": raw.bucket, "key": raw.key},
            "columns": list(raw.columns),
            "target": settings.target,
            "classes": {name: str(written) for name, written in settings.classes.items()},
            "maximum_refused": settings.maximum_refused,
            "output": {"bucket": settings.bucket, "key": self._output},
            "verdict": {"namespace": self._args.spark.namespace, "configmap": self.run},
        }
        content = pulumi.Output.json_dumps(spec, indent=2, sort_keys=True)
        return {**self._configmap(f"{self.run}-program"), "data": {**self._texts, SPEC: content}}

    def _keys(self) -> list[dict[str, Any]]:
        key = self._args.platform.object_store.secret_key
        return [] if key is None else [pods.secret(self._meta(f"{self.run}-keys"), {"secret": key})]

    def _application(self) -> Application:
        settings = self._args.settings
        own = {SCRIPT: SCRIPT} if settings.script else {}
        paths = {SPEC: SPEC, **{f"{module}.py": f"ml_runtime/{module}.py" for module in MODULES}, **own}
        items = [{"key": key, "path": path} for key, path in paths.items()]
        default = f"{FOLDER}/{SCRIPT if settings.script else 'ml_runtime/etl.py'}"
        return Application(
            # The outcome waits, and knows more about a run than its operator.
            metadata={**self._meta(self.run), "annotations": {"pulumi.com/skipAwait": "true"}},
            settings=settings,
            image=self._image,
            repository=self._args.spark.repository,
            program=settings.application or default,
            files={"name": "program", "configMap": {"name": f"{self.run}-program", "items": items}},
            environment={
                **self._args.platform.object_store.environment(f"{self.run}-keys", "secret"),
                "PYTHONPATH": FOLDER,
            },
            configuration=configuration(self._args.platform.object_store, settings),
            placed=self._placed,
        )
