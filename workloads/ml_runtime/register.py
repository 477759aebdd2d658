"""Registers an accepted model as a version and gives it the alias `champion`; a refused one leaves all as it is.

The same run never becomes two versions: the version is found again by its run.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ml_runtime import tracking
from ml_runtime.command import finish
from ml_runtime.gate import Judgement, judge
from ml_runtime.patience import limit_client_retries, patiently
from ml_runtime.spec import RunSpec, Verdict

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion


def register(spec: RunSpec, judgement: Judgement) -> Verdict:
    """Do what the judgement says; what became of the run.

    Raises:
        RunError: the run is not there, or MLflow was away for too long.
    """
    limit_client_retries()
    return patiently("MLflow", spec.patience, lambda: _register(spec, judgement))


def _register(spec: RunSpec, judgement: Judgement) -> Verdict:
    run = tracking.required_run(spec)
    version = _version(spec, run)
    if judgement.accepted:
        version = version or _new_version(spec, run)
        tracking.client().set_registered_model_alias(spec.model, tracking.CHAMPION, version.version)
    champion = tracking.champion(spec.model)
    return Verdict(
        run=spec.run,
        accepted=judgement.accepted,
        rule=judgement.rule,
        reason=judgement.reason,
        numbers=judgement.numbers,
        run_id=run.info.run_id,
        version=str(version.version) if version else None,
        champion=str(champion.version) if champion else None,
        dataset_sha256=run.data.tags[tracking.DATASET_DIGEST],
        held_out_sha256=run.data.tags[tracking.HELD_OUT_DIGEST],
    )


def _version(spec: RunSpec, run: Run) -> ModelVersion | None:
    found = tracking.client().search_model_versions(f"name='{spec.model}'")
    return next((version for version in found if version.run_id == run.info.run_id), None)


def _new_version(spec: RunSpec, run: Run) -> ModelVersion:
    import mlflow

    return mlflow.register_model(tracking.model_uri(run), spec.model, tags={tracking.RUN_KEY: spec.run})


def main() -> int:
    """The command: judges again, so that it needs nothing but the description."""
    spec = tracking.spec_from_arguments("ml_runtime.register", __doc__)

    def work() -> None:
        description = spec()
        print(register(description, judge(description)).to_json(), flush=True)

    return finish(work)


if __name__ == "__main__":
    sys.exit(main())
