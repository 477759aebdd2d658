"""The whole chain on the real node, from raw rows to the best of twenty trials, served; and searches that go wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ml_runtime import study, tracking
from support import chain, machine, outage, versions
from support.node_stack import NodeStack
from support.until import while_running


def search(block: str, **changes: Any) -> dict[str, Any]:
    """One more search on what Spark has left, for a model of its own."""
    run = {"operator": "ray", "data": "clean.table", "model": block, **changes}
    return {"runs": {block: run}, "models": {block: {}}}


def tuned(block: str) -> str:
    """The key of a search."""
    jobs = machine.client().list("batch/v1", "Job", "models", labels=f"app={block}")
    (found,) = (str(job["metadata"]["name"]) for job in jobs)
    return found


def trials(name: str) -> list[Any]:
    """The MLflow runs of a search's trials: they are below the one that has its key."""
    client = versions.tracking()
    experiment = client.get_experiment_by_name(name.rpartition("-")[0])
    if experiment is None:
        return []
    above = client.search_runs([experiment.experiment_id], f"tags.`{tracking.RUN_KEY}` = '{name}'")
    below = [f"tags.`mlflow.parentRunId` = '{run.info.run_id}'" for run in above]
    return [run for each in below for run in client.search_runs([experiment.experiment_id], each)]


def by_status(name: str) -> Counter[str]:
    return Counter(run.info.status for run in trials(name))


def numbers(runs: list[Any]) -> list[int]:
    return sorted(int(run.data.tags[study.TRIAL]) for run in runs)


def in_progress(block: str, ended: int) -> str | None:
    """The key of a search of which so many trials have ended, or more."""
    jobs = machine.client().list("batch/v1", "Job", "models", labels=f"app={block}")
    names = [str(job["metadata"]["name"]) for job in jobs]
    return next((name for name in names if len(trials(name)) >= ended), None)


def test_the_chain_ends_with_a_champion_of_xgboost_that_answers(stack: NodeStack) -> None:
    champion = versions.champion()
    run = versions.tracking().get_run(str(champion.run_id))
    assert run.data.params["estimator"] == "xgboost"
    assert run.data.tags[tracking.RUN_KEY] == tuned("iris")
    assert machine.outputs()["model_versions"] == {"iris": champion.version}
    assert machine.make("predict").returncode == 0


def test_each_trial_is_in_mlflow_with_its_parameters_and_its_score(stack: NodeStack) -> None:
    found = trials(tuned("iris"))
    assert numbers(found) == list(range(1, 21))
    for run in found:
        assert run.info.status == "FINISHED"
        assert run.data.params.keys() == {"max_depth", "min_child_weight", "subsample", "eta"}
        assert run.data.metrics.keys() >= {"validation_accuracy"}


def test_the_best_trial_is_fitted_again_and_is_the_champion_with_all_that_belongs_to_it(stack: NodeStack) -> None:
    client = versions.tracking()
    run = client.get_run(str(versions.champion().run_id))
    by_number = {int(each.data.tags[study.TRIAL]): each.data for each in trials(tuned("iris"))}
    best = by_number[int(run.data.metrics["best_trial"])]
    assert best.metrics["validation_accuracy"] == max(
        each.metrics["validation_accuracy"] for each in by_number.values()
    )
    assert best.params.items() <= run.data.params.items()
    assert run.data.metrics.keys() >= {"test_accuracy", "training_accuracy", "validation_accuracy"}
    assert run.data.tags[tracking.DATA_DIGEST] == chain.report("clean")["sha256"]
    assert run.data.tags[tracking.CODE_VERSION] == machine.images()["tuning"].partition("@")[2]
    model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    files = {each.path for each in client.list_logged_model_artifacts(model.model_id)}
    assert {"MLmodel", "input_example.json", "model.skops"} <= files


@pytest.mark.long
def test_a_trial_that_crashes_is_marked_and_the_others_go_on(restored: NodeStack, tmp_path: Path) -> None:
    space = {"eta": {"choice": [0.1, -1.0]}}
    done = chain.up(restored, tmp_path, **search("crashing", trials=10, space=space))
    assert done.returncode == 0, done.stdout
    name = tuned("crashing")
    assert by_status(name).keys() == {"FINISHED", "FAILED"}
    assert by_status(name).total() == 10
    failed = {float(run.data.params["eta"]) for run in trials(name) if run.info.status == "FAILED"}
    assert failed == {-1.0}


@pytest.mark.long
def test_a_search_of_which_no_trial_finishes_fails_in_the_words_of_the_first(
    restored: NodeStack, tmp_path: Path
) -> None:
    done = chain.up(restored, tmp_path, **search("hopeless", trials=2, space={"eta": {"choice": [-1.0]}}))
    assert done.returncode != 0
    assert "none of 2 trials has finished with a score; trial 1: " in done.stdout
    assert machine.make("predict").returncode == 0


def test_a_best_trial_that_the_gate_refuses_leaves_the_champion_and_nothing_is_searched_again(
    restored: NodeStack, tmp_path: Path
) -> None:
    before, name = machine.outputs()["model_versions"], tuned("iris")
    done = chain.up(restored, tmp_path, models={"iris": {"gate": {"min_rows": 1000}}})
    assert done.returncode == 0, done.stdout
    assert "by its rule min_rows" in done.stdout
    assert machine.outputs()["model_versions"] == before
    assert tuned("iris") == name


def test_a_search_in_a_ray_job_of_kuberay_ends_as_one_in_a_job(restored: NodeStack, tmp_path: Path) -> None:
    done = chain.up(restored, tmp_path, **search("cluster", trials=6, runner="ray-job"))
    assert done.returncode == 0, done.stdout
    (found,) = machine.client().list("ray.io/v1", "RayJob", "models")
    assert (found["status"]["jobDeploymentStatus"], found["status"]["jobStatus"]) == ("Complete", "SUCCEEDED")
    assert by_status(found["metadata"]["name"]) == {"FINISHED": 6}
    assert machine.outputs()["model_versions"]["cluster"] == "1"


def test_a_search_whose_pod_is_killed_goes_on_with_the_trials_that_are_left(
    restored: NodeStack, tmp_path: Path
) -> None:
    process = chain.start(restored, tmp_path, **search("cut", trials=16, seed=1))
    name = while_running(process, lambda: in_progress("cut", 3), "it is not so far")
    done = {run.info.run_id for run in trials(name)}
    outage.kill_pod(while_running(process, lambda: chain.running("models", app="cut"), "it is not so far"))
    chain.ended_well(process)
    found = trials(name)
    assert numbers(found) == list(range(1, 17))
    assert done <= {run.info.run_id for run in found}
    assert by_status(name) == {"FINISHED": 16}


@pytest.mark.long
def test_a_search_waits_for_an_object_store_that_is_away(restored: NodeStack, tmp_path: Path) -> None:
    process = chain.start(restored, tmp_path, **search("waiting", trials=6, seed=2))
    name = while_running(process, lambda: in_progress("waiting", 1), "it is not so far")
    with outage.away("StatefulSet", "s3", "storage"):
        chain.ended_well(process)
    assert by_status(name) == {"FINISHED": 6}


@pytest.mark.long
def test_an_up_that_was_killed_during_the_search_is_gone_on_with(restored: NodeStack, tmp_path: Path) -> None:
    blocks = search("again", trials=6, seed=3)
    done = chain.killed_and_run_again(restored, tmp_path, lambda: in_progress("again", 1), **blocks)
    assert done.returncode == 0, done.stdout
    assert numbers(trials(tuned("again"))) == list(range(1, 7))


def test_a_refresh_after_the_chain_changes_nothing_and_runs_nothing_again(stack: NodeStack) -> None:
    before = jobs()
    words = ("pulumi", "up", "--refresh", "--stack", "local", "--yes", "--skip-preview", "--non-interactive")
    done = machine.tool(*words, "--config-file", str(stack.config), timeout=600)
    assert done.returncode == 0, done.stdout
    assert not {"created", "updated", "replaced", "deleted"} & set(done.stdout.split()), done.stdout
    assert jobs() == before


def jobs() -> set[str]:
    client = machine.client()
    runs = client.list("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs")
    return {str(each["metadata"]["uid"]) for each in [*client.list("batch/v1", "Job", "models"), *runs]}
