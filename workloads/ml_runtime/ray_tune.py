"""Runs trials side by side by Ray Tune, in processes that are used again: its searchers, its schedulers.

By itself it starts a Ray of its own within this container, which nothing outside reaches; where RAY_ADDRESS is set it
is a job of that Ray. What becomes of a trial is kept by whoever calls.
"""

from __future__ import annotations

import logging
import os
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from math import nan
from typing import Any

from ml_runtime import search
from ml_runtime.errors import RunError
from ml_runtime.metrics import METRICS
from ml_runtime.own_code import said
from ml_runtime.rounds import ALL, STEPS
from ml_runtime.study import Study, Trial
from ml_runtime.trial import Parts, Trials
from ml_runtime.tune_spec import Scheduler, Searcher, TuneSpec

OBJECT_STORE = 78643200
"""Bytes, the least that Ray takes."""
SCORE, STEP, FAILURE = "score", "step", "failure"


def run(study: Study, trials: Trials, parts: Parts) -> None:
    """Do the trials that are left; one that fails is kept as such, and the others go on."""
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # no tables in the log
    import ray
    from ray import tune

    spec = study.spec
    ray.init(**_own(spec, parts), logging_level="warning")
    writer = Writer(study)
    try:
        with tempfile.TemporaryDirectory() as folder:
            tune.Tuner(
                tune.with_resources(tune.with_parameters(_trial, trials=trials, parts=parts), {"cpu": spec.threads}),
                tune_config=tune.TuneConfig(
                    num_samples=spec.trials - len(study.trials),
                    search_alg=_searcher(study),
                    scheduler=_scheduler(spec),
                    reuse_actors=True,
                    max_concurrent_trials=spec.at_once,
                ),
                run_config=tune.RunConfig(storage_path=folder, verbose=0, callbacks=[_kept(writer)]),
            ).fit()
        writer.finish()
    finally:
        ray.shutdown()


def _trial(config: dict[str, Any], trials: Trials, parts: Parts) -> None:
    """What runs in another process. A failure is a result: to Ray it would be a process to start anew."""
    from ray import tune

    try:
        for step, score in trials.run(parts, config):
            tune.report({SCORE: score, STEP: step})
    except Exception as failure:
        why = str(failure) if isinstance(failure, RunError) else said(failure)
        tune.report({SCORE: nan, STEP: ALL, FAILURE: why})


class Writer:
    """Writes trials down beside those that run, which need not wait for MLflow."""

    def __init__(self, study: Study) -> None:
        self._study, self._pool = study, ThreadPoolExecutor(max_workers=1)
        self._written: list[Future[None]] = []

    def write(self, trial: Trial) -> None:
        """Raises what an earlier writing has raised."""
        for each in self._written:
            if each.done():
                each.result()
        self._written.append(self._pool.submit(self._study.add, trial))

    def finish(self) -> None:
        """Wait for the last one. Raises what writing has raised."""
        self._pool.shutdown()
        for each in self._written:
            each.result()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Ray writes down all that it is given, and here never reads it again."""
        return {}


def _kept(writer: Writer) -> Any:
    """Ray tells it of each trial's end."""
    from ray import tune

    class Kept(tune.Callback):  # type: ignore[misc] # Ray is in the image only
        def on_trial_complete(self, trial: Any, **_: Any) -> None:
            found = trial.last_result
            ended = {"failure": found[FAILURE]} if FAILURE in found else {"score": found[SCORE], "step": found[STEP]}
            writer.write(_ended(trial, **ended))

        def on_trial_error(self, trial: Any, **_: Any) -> None:
            writer.write(_ended(trial, failure="its process died"))

    return Kept()


def _ended(trial: Any, **found: Any) -> Trial:
    return Trial(parameters=trial.config, seconds=trial.last_result.get("time_total_s", 0.0), **found)


def _searcher(study: Study) -> Any:
    """It knows the trials that have ended, and draws others than those."""
    import optuna
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger(OptunaSearch.__module__).setLevel(logging.ERROR)  # else it says of each failure that nan is none
    spec = study.spec
    kinds = {Searcher.RANDOM: optuna.samplers.RandomSampler, Searcher.OPTUNA: optuna.samplers.TPESampler}
    known = [trial for trial in study.trials if trial.score is not None and trial.step == ALL]
    return OptunaSearch(
        space=OptunaSearch.convert_search_space(search.domains(spec.space)),
        metric=SCORE,
        mode="min" if METRICS[spec.metric].less_is_better else "max",
        sampler=kinds[spec.searcher](seed=spec.seed + len(study.trials)),
        points_to_evaluate=[dict(trial.parameters) for trial in known] or None,
        evaluated_rewards=[trial.score for trial in known] or None,
    )


def _scheduler(spec: TuneSpec) -> Any:
    from ray.tune.schedulers import ASHAScheduler

    if spec.scheduler is Scheduler.NONE:
        return None
    mode = "min" if METRICS[spec.metric].less_is_better else "max"
    return ASHAScheduler(
        time_attr=STEP, metric=SCORE, mode=mode, max_t=ALL, grace_period=STEPS[0], reduction_factor=STEPS[1] // STEPS[0]
    )


def _own(spec: TuneSpec, parts: Parts) -> dict[str, Any]:
    """The size of a Ray of its own: its store has the rows that all trials share."""
    if "RAY_ADDRESS" in os.environ:
        return {}
    rows = sum(int(part.memory_usage(deep=True).sum()) for part in (parts.training, parts.validation))
    return {
        "num_cpus": spec.at_once * spec.threads,
        "object_store_memory": max(OBJECT_STORE, 2 * rows),
        "include_dashboard": False,
        "_plasma_directory": tempfile.gettempdir(),
    }
