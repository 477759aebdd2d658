"""A run by an image of a user's own: three steps in one pod, of which the user's never sees a test row.

`rows` reads the data and writes the training rows as files, `train` is the user's program, and `finish` scores the
model that this has saved, and logs it. The user's program gets its files and a /tmp of its own: no key of the object
store, no token of the Kubernetes API, no address of MLflow. Only where a cloud knows pods and not their containers, as
GKE does, its identity is the pod's. A pod that is tried again begins with `rows`.
"""

from collections.abc import Mapping
from typing import Any

from ml_platform import pods

from ml_workloads import job
from ml_workloads.job import MOUNTS
from ml_workloads.learning_settings import ImageLearningSettings
from ml_workloads.packages import TRAINING, Packages
from ml_workloads.run import RunArgs
from ml_workloads.workspace import Workspace

ROWS, TRAIN, FINISH = "rows", "train", "finish"
"""The steps."""
FILES = {
    "ML_RUN": "/ml/rows/run.json",
    "ML_TRAINING_ROWS": "/ml/rows/training.parquet",
    "ML_SCHEMA": "/ml/rows/schema.json",
    "ML_MODEL": "/ml/saved/model",
}
"""What the user's program is told: the files that it reads, and the folder that it makes."""
KEPT = {"ML_KEPT": "/ml/kept"}
"""What the platform's own steps have besides: the test rows."""
VOLUMES = {"rows": "/ml/rows", "kept": "/ml/kept", "saved": "/ml/saved"}
TOKEN = {"token": "/var/run/secrets/kubernetes.io/serviceaccount"}
OWN = "own-tmp"
SIGNALS = [*range(129, 160)]
"""The exit codes of a program that a signal has ended: the memory was too small, or the node goes away."""


def manifest(args: RunArgs, pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Job."""
    return job.manifest(args, pod, **ends())


def ends() -> dict[str, Any]:
    """What pods.job_spec is told of such pods: a program that ends by itself would end the same way again."""
    rules = [pods.fails_at(ROWS, "In", [pods.USER_ERROR]), pods.fails_at(TRAIN, "NotIn", SIGNALS)]
    return {"rules": rules, "marks": {pods.NO_IDENTITY: TRAIN}}


def steps(
    workspace: Workspace,
    settings: ImageLearningSettings,
    packages: Packages,
    *,
    group: Mapping[str, Any] | None = None,
    worker: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The fields of a pod's specification that make it three steps, of which the last has the model's packages. Of
    several workers, the user's program is told of the `group`, and the last step which `worker` it is."""
    volumes = [pods.scratch(name, settings.scratch) for name in (*VOLUMES, OWN)]
    return {
        "automountServiceAccountToken": False,
        "initContainers": [_rows(workspace, settings), _train(settings, group or {})],
        "containers": [_finish(workspace, settings, packages, worker or {})],
        "volumes": [*volumes, pods.token("token")],
    }


def _rows(workspace: Workspace, settings: ImageLearningSettings) -> dict[str, Any]:
    return _ours(
        workspace,
        settings,
        ROWS,
        TRAINING,
        env=workspace.environment(),
        mounts={name: VOLUMES[name] for name in ("rows", "kept")},
        args=["ml_runtime.prepare"],
    )


def _finish(
    workspace: Workspace, settings: ImageLearningSettings, packages: Packages, worker: Mapping[str, Any]
) -> dict[str, Any]:
    mounts = {**VOLUMES, **TOKEN}
    return _ours(
        workspace,
        settings,
        FINISH,
        packages.image(TRAINING),
        env=worker,
        mounts=mounts,
        args=["ml_runtime.finish"],
        reads=[*mounts],
    )


def _ours(
    workspace: Workspace,
    settings: ImageLearningSettings,
    name: str,
    image: str,
    *,
    env: Mapping[str, Any],
    mounts: Mapping[str, str],
    **more: Any,
) -> dict[str, Any]:
    """A step of the platform's own, which computes on processors."""
    platform = workspace.platform
    return pods.container(
        name,
        platform.image(image),
        settings.resources.model_copy(update={"gpu": 0}),
        env={**env, **FILES, **KEPT, "MLFLOW_TRACKING_URI": platform.mlflow_url},
        mounts={**MOUNTS, **mounts},
        **more,
    )


def _train(settings: ImageLearningSettings, group: Mapping[str, Any]) -> dict[str, Any]:
    """The user's. What it says last is its message, whether or not it writes one."""
    return pods.container(
        TRAIN,
        str(settings.image),
        settings.resources,
        env={**FILES, "HOME": MOUNTS["tmp"], **group},
        mounts={"rows": VOLUMES["rows"], "saved": VOLUMES["saved"], OWN: MOUNTS["tmp"]},
        reads=["rows"],
        terminationMessagePolicy="FallbackToLogsOnError",
        **({"command": list(settings.command)} if settings.command else {}),
    )
