"""What is said of settings of the work that can not be."""

from __future__ import annotations

from typing import Any

import pytest
from ml_platform.configuration import SettingsError, validate
from ml_workloads.settings import WorkloadsSettings
from support.work import IRIS, changed

Case = tuple[dict[str, Any], str, str, str]
S3 = "s3://datasets/churn.csv"


def read(settings: dict[str, Any]) -> WorkloadsSettings:
    return validate("workloads", settings, WorkloadsSettings)


def refusal(settings: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        read(settings)
    return str(refused.value)


def says(message: str, path: str, given: str, rule: str) -> None:
    assert f"ml-platform:workloads.{path}{f' is {given}' if given else '; '}" in message
    assert rule in message
    assert f"--path 'ml-platform:workloads.{path.partition(' is no')[0]}" in message
    assert "Traceback" not in message


def data(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, data={"iris": changes})


def csv(**changes: Any) -> dict[str, Any]:
    return data(uri=S3, csv=changes)
