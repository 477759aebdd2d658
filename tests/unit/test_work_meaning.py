"""What settings of the work mean: what a block takes from another, and what it is where it says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import validate
from ml_workloads.settings import WorkloadsSettings
from support import etl
from support.work import IRIS, changed

S3 = "s3://datasets/churn.csv"
REGRESSION = changed(IRIS, data={"iris": {"task": "regression"}})


def read(settings: dict[str, Any]) -> WorkloadsSettings:
    return validate("workloads", settings, WorkloadsSettings)


def test_a_program_of_ones_own_may_be_the_metric_of_either_task_and_direction() -> None:
    for bound in ({"at_least": 7}, {"at_most": 7}):
        assert (
            read(changed(REGRESSION, models={"iris": {"gate": {"metric": "cost.py", **bound}}}))
            .models["iris"]
            .gate.metric
            == "cost.py"
        )


def test_a_version_may_be_tried_beside_whatever_the_champion_is() -> None:
    canary = read(changed(IRIS, serving={"iris": {"model": "iris", "canary": {"version": 1}}})).serving["iris"].canary
    assert canary is not None
    assert canary.percent == 10


def test_the_work_says_by_which_service_accounts_it_uses_the_store() -> None:
    found = read(changed(IRIS, data={"raw": {"uri": "s3://datasets/raw/"}}))
    assert found.accounts == (("models", "data-raw"), ("models", "run-iris"))
    assert read({}).namespaces == ()


INHERITED = {"target": "species", "test": {"fraction": 0.3, "by": ["plant"]}, "columns": {"postcode": "category"}}


@pytest.mark.parametrize(
    ("table", "learned"),
    [
        ({}, {}),
        ({"target": "kind"}, {"target": "kind"}),
        ({"test": {"uri": S3}}, {"test": {"uri": S3}}),
        ({"task": "regression", "columns": {}}, {"task": "regression", "columns": {}}),
        ({"features": ["a"]}, {"features": ["a"]}),
    ],
    ids=str,
)
def test_a_table_has_of_the_raw_data_what_it_says_nothing_of(table: dict[str, Any], learned: dict[str, Any]) -> None:
    raw = changed(etl.settings(table=table), data={"raw": INHERITED})
    expected = {"task": "classification", "features": None, **INHERITED, **learned}
    found = read(raw).learned("clean.table").model_dump(mode="json", exclude_unset=True)
    assert {name: found[name] for name in expected} == expected
