"""Runs trials side by side by Ray Tune, in processes that are used again.

By itself it starts a Ray of its own within this container, which nothing outside reaches; where RAY_ADDRESS is set it
is a job of that Ray.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

from ml_runtime.progress import Progress
from ml_runtime.search import Trial
from ml_runtime.tune_spec import TuneSpec

OBJECT_STORE = 78643200
"""Bytes, the least that Ray takes: all that trials share is a table."""
SCORE, FAILURE = "score", "failure"


def run(spec: TuneSpec, trials: Mapping[int, Trial], one: Callable[[int, Trial], float], progress: Progress) -> None:
    """Do all trials, each by calling `one` in another process; one that fails is said, and the others go on."""
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # no tables in the log
    import ray
    from ray import tune

    def trial(config: dict[str, int]) -> None:
        try:
            report: dict[str, Any] = {SCORE: one(config["number"], trials[config["number"]])}
        except Exception as failure:
            report = {FAILURE: f"{type(failure).__name__}: {failure}".splitlines()[0]}
        tune.report(report)

    class Said(tune.Callback):  # type: ignore[misc] # Ray is in the image only
        def on_trial_complete(self, trial: Any, **_: Any) -> None:
            number, report = trial.config["number"], trial.last_result
            if FAILURE in report:
                progress.failed(number, report[FAILURE])
            else:
                progress.finished(number, report[SCORE])

        def on_trial_error(self, trial: Any, **_: Any) -> None:
            progress.failed(trial.config["number"], "its process died")

    ray.init(**_own(spec), logging_level="warning")
    try:
        with tempfile.TemporaryDirectory() as folder:
            tune.Tuner(
                tune.with_resources(trial, {"cpu": spec.threads}),
                param_space={"number": tune.grid_search(list(trials))},
                tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=spec.at_once),
                run_config=tune.RunConfig(storage_path=folder, verbose=0, callbacks=[Said()]),
            ).fit()
    finally:
        ray.shutdown()


def _own(spec: TuneSpec) -> dict[str, Any]:
    """The size of a Ray of its own."""
    if "RAY_ADDRESS" in os.environ:
        return {}
    return {
        "num_cpus": spec.at_once * spec.threads,
        "object_store_memory": OBJECT_STORE,
        "include_dashboard": False,
        "_plasma_directory": tempfile.gettempdir(),
    }
