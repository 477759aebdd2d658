"""What is refused of a served model's settings before anything is declared."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads.settings import WorkloadsSettings

MODEL = {"name": "iris", "version": 1}


@pytest.mark.parametrize(
    ("serving", "path", "rule"),
    [
        ({"canary": {"version": 1}}, "canary.version", "another version than model.version"),
        ({"canary": {"version": "champion"}}, "canary.version", "integer"),
        ({"canary": {"version": 2, "percent": 0}}, "canary.percent", "greater than or equal to 1"),
        ({"canary": {"version": 2, "percent": 100}}, "canary.percent", "less than or equal to 99"),
        ({"min_replicas": 3}, "min_replicas", "must not exceed max_replicas, which is 2"),
        ({"scale_metric": "cpu", "scale_target": 101}, "scale_target", "at most 100"),
        ({"scale_target": 9, "container_concurrency": 8}, "scale_target", "no more than container_concurrency"),
        ({"scale_metric": "temperature"}, "scale_metric", "'rps'"),
        ({"liveness": {"period": 0}}, "liveness.period", "greater than or equal to 1"),
        ({"split_by": "istio"}, "split_by", "'kserve'"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_can_not_be_is_refused_by_its_key(serving: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(SettingsError) as refused:
        validate("workloads", {"serving": {"iris": {"model": MODEL, **serving}}}, WorkloadsSettings)
    assert f"ml-platform:workloads.serving.iris.{path}" in str(refused.value)
    assert rule in str(refused.value)


@pytest.mark.parametrize("other", ["iris-canary", "canary-iris", "iris-predictor", "iris-canary-predictor"])
def test_a_block_does_not_take_the_name_of_what_stands_for_another(other: str) -> None:
    blocks = {name: {"model": MODEL} for name in ("iris", other)}
    with pytest.raises(SettingsError, match=f"serving.{other} .*block 'iris' makes things of this name"):
        validate("workloads", {"serving": blocks}, WorkloadsSettings)


def test_a_version_may_be_tried_beside_whatever_the_champion_is() -> None:
    block = {"model": {"name": "iris"}, "canary": {"version": 1}}
    training = {"iris": {"dataset": "iris", "target": "b"}}
    data = {"iris": {"source": "uploaded", "key": "iris.csv", "columns": ["a", "b"]}}
    given = {"datasets": data, "training": training, "serving": {"iris": block}}
    canary = validate("workloads", given, WorkloadsSettings).serving["iris"].canary
    assert canary is not None
    assert canary.percent == 10
