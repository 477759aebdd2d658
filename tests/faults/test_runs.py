"""Runs that go wrong: what a data scientist is told, and what goes on serving."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest
from support import machine, outage, store
from support.probe import Probe, jobs, trained, tries
from support.until import until

HOPELESS = {"C": 1e-6, "max_iter": 50}
KEY = "probe/table.csv"
ROWS = ("same,target,nothing\n" + "1,yes,NaN\n1,no,NaN\n" * 30).encode()
TABLE = {"uri": f"s3://datasets/{KEY}", "version": "1", "target": "target"}
"""Its version is named, so that nothing looks at it before the run does."""
SERVICES = [("Deployment", "mlflow", "mlflow"), ("StatefulSet", "s3", "storage")]


def test_a_changed_parameter_trains_once_and_a_model_below_the_gate_is_a_warning(probe: Probe) -> None:
    before = jobs()
    done = probe.up(parameters=HOPELESS)
    assert done.returncode == 0, done.stdout
    assert "Job probe replaced" in done.stdout
    assert trained(jobs()).isdisjoint(trained(before))
    assert "warning" in done.stdout.lower()
    assert "by its rule at_least" in done.stdout
    assert "is below 0.9" in done.stdout
    assert probe.version() == "1"
    again = probe.up(parameters=HOPELESS)
    assert "unchanged" in again.stdout
    assert "replaced" not in again.stdout


def test_a_first_model_below_the_gate_is_an_error_with_its_numbers(probe: Probe) -> None:
    done = probe.up(model="rough", parameters=HOPELESS, gate={"at_least": 0.99})
    assert done.returncode != 0
    assert "refused by its gate and there is no earlier champion" in done.stdout
    assert "0.99" in done.stdout
    assert "ml-platform:workloads" in done.stdout
    assert machine.make("predict").returncode == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parameters": {"C": -1.0}}, "'C' parameter of LogisticRegression must be"),
        (
            {"script": "tests/faults/programs/mistaken.py", "parameters": {}},
            "fit failed in mistaken.py, line 12 (`return features[parameters[\"column\"]]`): KeyError: 'column'",
        ),
        ({"data": {**TABLE, "target": "nothing"}}, f"none of the 60 rows of {TABLE['uri']} has a 'nothing'"),
        ({"data": {**TABLE, "features": ["same"]}}, "both are needed. Choose another `test`"),
    ],
    ids=["a parameter", "a program", "a table without a target", "a table of one row again and again"],
)
def test_what_somebody_has_to_mend_ends_a_run_at_once_and_is_said(
    changes: dict[str, Any], words: str, probe: Probe
) -> None:
    store.client().put_object(Bucket="datasets", Key=KEY, Body=ROWS)
    done = probe.up(retries=2, **changes)
    assert done.returncode != 0
    assert words in done.stdout
    assert tries() == 1
    assert machine.make("predict").returncode == 0


def test_services_that_are_away_for_a_while_are_waited_for(probe: Probe) -> None:
    before = jobs()
    with ExitStack() as services:
        for service in SERVICES:
            services.enter_context(outage.away(*service))
        done = probe.up(seed=7)
    assert done.returncode == 0, done.stdout
    assert trained(jobs()) - trained(before)


@pytest.mark.long
def test_a_service_that_stays_away_is_named_in_a_clear_failure(probe: Probe) -> None:
    outage.scale("Deployment", "mlflow", "mlflow", 0)
    try:
        done = probe.up(seed=9, retries=0)
    finally:
        outage.scale("Deployment", "mlflow", "mlflow", 1)
        until(lambda: _status("Deployment", "mlflow", "mlflow").get("readyReplicas"), "MLflow is not back", 120)
    assert done.returncode != 0
    assert "MLflow" in done.stdout
    assert "is ready, then run this again" in done.stdout


def _status(kind: str, name: str, namespace: str) -> dict[str, Any]:
    return dict(machine.client().get("apps/v1", kind, name, namespace).get("status", {}))
