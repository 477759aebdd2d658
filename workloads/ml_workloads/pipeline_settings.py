"""A pipeline of Kubeflow Pipelines as a run: the blocks of `runs` with operator kfp."""

from typing import Annotated, Literal, Self

from ml_platform.configuration import MisfitError, Name, one_rule
from pydantic import Field, model_validator

from ml_workloads.data_settings import LearnedSettings, Schedule
from ml_workloads.fields import DataName, Parameter, Prefix, Script, WorkResources
from ml_workloads.learning_settings import BoundedSettings

Variable = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="The name of a variable of the environment.")
]
SECRETS = "workloads"
"""What the keys of secrets begin with that runs may have, so that none of the platform's is among them."""
Secret = Annotated[
    str, Field(pattern=r"^[A-Za-z][-A-Za-z0-9_.]*$", description=f"A secret of the stack: {SECRETS}:<name>.")
]
MountPath = Annotated[
    str, Field(pattern=r"^/[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$", description="A folder of the stages, from /.")
]
PLATFORM = "platform"
_ADDRESS = r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[-A-Za-z0-9_.]+)*$"
Api = Annotated[
    Literal["platform"] | Annotated[str, Field(pattern=_ADDRESS)],
    one_rule("It must be platform, or the address of Kubeflow Pipelines: http://ml-pipeline.kubeflow:8888"),
]
PLATFORMS_OWN = ("/dev", "/etc", "/opt", "/proc", "/sys", "/tmp", "/usr", "/var")  # noqa: S108 - the container's own
RESERVED = ("ML_", "AWS_", "MLFLOW_", "PYTHON", "KUBERNETES_")
"""What the names of the platform's own variables begin with."""
ROWS = "training_rows"
"""The parameter that a pipeline with a model is given by the run itself."""


class PipelineSettings(BoundedSettings):
    """A pipeline of Kubeflow Pipelines, whose stages run one after the other in the run's pod, by conditions, loops and
    retries as the pipeline has them. An error of a stage ends it at once."""

    operator: Literal["kfp"]
    pipeline: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.][-A-Za-z0-9_./]*\.(py|yaml)$",
            description="A Python file with a function that has @dsl.pipeline, or a compiled package in YAML, by its "
            "path from the folder of Pulumi.yaml.",
        ),
    ]
    modules: tuple[Script, ...] = ()
    """Files of one's own that the pipeline's file imports; they lie beside it."""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    """The pipeline's."""
    inputs: dict[str, DataName] = Field(default_factory=dict)
    """Parameters of the pipeline that are given where data are, as a URI."""
    output: Prefix
    """The prefix below which each run leaves the artifacts of its stages, in a folder with the name of its key."""
    api: Api | None = None
    """The Kubeflow Pipelines that run it. platform: those of the platform (kubeflow.pipelines). Others by their
    address, as a pod reaches it: http://ml-pipeline.kubeflow:8888. The stages are then pods with images, secrets and
    volumes of their own. Without it, the run's pod runs them."""
    secrets: dict[Variable, Secret] = Field(default_factory=dict)
    """Variables of the stages' environment, each with the name of a secret of the stack: workloads:<name>."""
    volumes: dict[MountPath, Name] = Field(default_factory=dict)
    """Folders that all stages have, each with the name of a PersistentVolumeClaim in the namespace of the work. What is
    in them is no reason for a new run."""
    data: DataName | None = None
    """With a model: the data whose training rows the pipeline's parameter `training_rows` is given as a parquet file,
    and whose test rows judge the model."""
    model: Name | None = None
    """The block of `models` that the artifact `model` of a stage is a candidate for. Where no stage leaves one, the
    champion stays."""
    table: LearnedSettings | None = None
    """What is learned from the artifact `table` of a stage, a parquet file, which other runs take as <run>.table."""
    services: tuple[Name, ...] = ()
    """InferenceServices in the namespace of the work that the stages make, change and remove by the Kubernetes API.
    They stay when the run goes."""
    schedule: Schedule | None = None
    """When the pipeline runs again, besides now; never while it runs already."""
    resources: WorkResources = WorkResources(cpu="250m", memory="512Mi", cpu_limit="2", memory_limit="2Gi")
    """The resources of all stages together, and of the gate."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for one, other in (("data", "model"), ("model", "data")):
            if getattr(self, one) is None and getattr(self, other) is not None:
                raise MisfitError(one, f"a pipeline with {other} has one as well: its model is judged by the data")
        if self.table and self.model:
            raise MisfitError("table", "a pipeline with a model leaves that to others; keep one of them", remove=True)
        for key in ("secrets", "volumes", "model", "table", "services"):
            if self.api and getattr(self, key):
                raise MisfitError(key, "stages on Kubeflow Pipelines have what the pipeline gives them", remove=True)
        return self

    @model_validator(mode="after")
    def _files(self) -> Self:
        if self.modules and not self.pipeline.endswith(".py"):
            raise MisfitError("modules", "a compiled package imports none; remove it", remove=True)
        names = [path.rpartition("/")[2] for path in (self.pipeline, *self.modules)]
        if len(set(names)) < len(names):
            raise MisfitError("modules", f"all lie in one folder, and two have one name: {', '.join(sorted(names))}")
        return self

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name in self.parameters:
            if name in self.inputs:
                raise MisfitError(f"parameters.{name}", "inputs have it as well; keep one of them", remove=True)
        for block in ("parameters", "inputs"):
            if self.model and ROWS in getattr(self, block):
                raise MisfitError(f"{block}.{ROWS}", "the run gives it the training rows of `data`", remove=True)
        for folder in self.volumes:
            if f"{folder}/".startswith(tuple(f"{each}/" for each in PLATFORMS_OWN)):
                raise MisfitError(f"volumes.{folder}", f"allowed: not below {', '.join(PLATFORMS_OWN)}")
        for variable in self.secrets:
            if variable.startswith(RESERVED):
                raise MisfitError(
                    f"secrets.{variable}", "the platform has variables of such a name; choose another one"
                )
        return self
