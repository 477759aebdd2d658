"""A table made by Spark: a SparkApplication of whichever operator the platform has, and what it leaves.

The outcome believes the run and not its operator: one of them ignores an edit silently, and calls a failed program a
success.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.handle import PlatformOutputs, SparkAccess
from ml_platform.labels import of_stack

from ml_workloads import script, spark_manifests
from ml_workloads.data_settings import LearnedSettings
from ml_workloads.fields import bucket_of
from ml_workloads.place import Place
from ml_workloads.run import FOLDER, SPEC, Run, RunArgs, key
from ml_workloads.spark_manifests import VERSIONS, Application, configuration
from ml_workloads.spark_settings import SparkSettings
from ml_workloads.table import Table

RUNTIME = Path(__file__).resolve().parents[1] / "ml_runtime"
MODULES = (
    "__init__", "command", "data_spec", "errors", "etl", "etl_columns", "etl_result", "etl_spec", "patience", "places",
    "report", "rows", "schema", "spec", "verdict",
)  # fmt: skip
"""The modules of ml_runtime that the program imports: they come with the run, since an operator's own image has none
of them."""
SCRIPT = "main.py"


@dataclass(frozen=True, kw_only=True)
class SparkArgs:
    platform: PlatformOutputs
    spark: SparkAccess
    raw: Table
    settings: SparkSettings
    learned: LearnedSettings
    """What is learned from the table."""


class SparkApplication(Run):
    token = "ml-platform:workloads:SparkApplication"  # noqa: S105 - a type token

    def __init__(self, name: str, args: SparkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.kind = args.spark.operator
        self._args, self._name = args, name
        self._place = _place(args)
        self._texts = {f"{module}.py": (RUNTIME / f"{module}.py").read_text() for module in MODULES}
        if args.settings.script:
            self._texts[SCRIPT] = script.text(f"runs.{name}.script", args.settings.script)
        super().__init__(name, self._arguments(), opts)
        self.table = self._table()

    def _arguments(self) -> RunArgs:
        settings = self._args.settings
        run_key = key(self._name, self._args.raw.version, self._what(), self._texts)
        return RunArgs(
            place=self._place,
            block=self._name,
            key=run_key,
            account="",
            description={
                "data": self._args.raw.described,
                "output": self._output(run_key),
                "maximum_refused": settings.maximum_refused,
                **({"classes": self._classes()} if settings.classes else {}),
            },
            files=self._texts,
            beside=self._secrets(run_key),
            pod={},
            manifest=self._manifest,
            timeout=settings.timeout,
            leaves="table",
        )

    def _classes(self) -> dict[str, str]:
        return {name: str(written) for name, written in (self._args.settings.classes or {}).items()}

    def _output(self, run_key: pulumi.Input[str]) -> pulumi.Output[str]:
        """A place of its own for each run: none overwrites what another one has left."""
        default = f"s3://{bucket_of(str(self._args.raw.what['uri']))}/tables/"
        prefix = f"{self._args.settings.output or default}{pulumi.get_stack()}/{self._name}/"
        return pulumi.Output.concat(prefix, run_key, "/")

    def _table(self) -> Table:
        learned, digest = self._args.learned.learned, self.outcome.output("table")
        uri = pulumi.Output.all(self._output(self.key), digest).apply(lambda known: str(known[0]))
        described = {**learned, "uri": uri, "format": "parquet", "sha256": digest}
        return Table(what={**learned, "run": self._name}, described=described, version=digest)

    @property
    def _image(self) -> str | None:
        own = self._args.platform.image("spark") if self._args.spark.operator == "kubeflow" else None
        return self._args.settings.image or own

    def _what(self) -> dict[str, Any]:
        """All that the run does, but for the data; how long it may take, and where, is no reason for a new one."""
        spark, settings = self._args.spark, self._args.settings
        return {
            # Teams with stacks of their own share the namespace of runs.
            "stack": pulumi.get_stack(),
            "image": settings.image,
            "operator": spark.operator,
            "version": VERSIONS[spark.operator],
            "raw": self._args.raw.what,
            "settings": settings.model_dump(mode="json", exclude={"pool", "timeout", "table"}),
        }

    def _manifest(self, args: RunArgs, _: Any) -> dict[str, Any]:
        platform = self._args.platform
        application = Application(
            metadata=args.place.metadata(args.block, name=args.key),
            settings=self._args.settings,
            image=self._image,
            repository=self._args.spark.repository,
            program=self._args.settings.application or f"{FOLDER}/{self._program()}",
            files=self._files(args),
            environment={
                **platform.object_store.environment(_keys(args.key), "secret"),
                "PYTHONPATH": FOLDER,
            },
            configuration=configuration(platform.object_store, self._args.settings),
            placed=platform.placed(self._args.settings.pool),
        )
        return spark_manifests.manifest(self._args.spark.operator, application)

    def _secrets(self, run_key: pulumi.Output[str]) -> dict[str, dict[str, Any]]:
        secret = self._args.platform.object_store.secret_key
        meta = self._place.metadata(self._name, name=_keys(run_key))
        return {} if secret is None else {"keys": pods.secret(meta, {"secret": secret})}

    def _program(self) -> str:
        return SCRIPT if self._args.settings.script else "ml_runtime/etl.py"

    def _files(self, args: RunArgs) -> dict[str, Any]:
        """The volume with the description, the modules in their package, and the program."""
        own = [name for name in self._texts if name == SCRIPT]
        paths = {SPEC: SPEC, **{f"{each}.py": f"ml_runtime/{each}.py" for each in MODULES}}
        items = [{"key": name, "path": path} for name, path in {**paths, **dict.fromkeys(own, SCRIPT)}.items()]
        name = pulumi.Output.concat(args.key, "-description")
        return {"name": "program", "configMap": {"name": name, "items": items}}


def _keys(run_key: pulumi.Output[str]) -> pulumi.Output[str]:
    """The name of the Secret with the key of the object store."""
    return pulumi.Output.concat(run_key, "-keys")


def _place(args: SparkArgs) -> Place:
    """The operator's namespace for runs; from the platform, so that all is declared when it can be accepted."""
    return Place(
        namespace=args.spark.namespace,
        declared=args.spark.jobs,
        labels=of_stack(),
        kubeconfig=args.platform.kubeconfig,
        options={},
    )
