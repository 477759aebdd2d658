"""New passwords on a running platform: the database, the object store and all who use them take them together."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import machine

SECRETS = (("mlflow", "postgres", "password"), ("storage", "s3", "workloads"))


@pytest.mark.long
def test_a_raised_version_changes_every_password_and_nothing_stops_working(
    restored: dict[str, Any], tmp_path: Path
) -> None:
    before = _passwords()
    second = {"postgres": {"password_version": 2}, "object_store": {"password_version": 2}}
    done = machine.up(machine.settings("platform", second, tmp_path))
    assert done.returncode == 0, done.stdout
    assert not set(before) & set(_passwords())
    # A new run leaves its model in the object store, and MLflow keeps its records in the database.
    done = machine.up(_retrained(machine.settings("platform", second, tmp_path)))
    assert done.returncode == 0, done.stdout
    assert "Job iris replaced" in done.stdout
    assert machine.make("predict").returncode == 0
    done = machine.up()
    assert done.returncode == 0, done.stdout
    assert _passwords() == before


def _retrained(file: Path) -> Path:
    content = yaml.safe_load(file.read_text())
    content["config"]["ml-platform:workloads"]["runs"]["iris"]["seed"] = 11
    file.write_text(yaml.safe_dump(content))
    return file


def _passwords() -> list[str]:
    return [
        base64.b64decode(machine.client().get("v1", "Secret", name, namespace)["data"][key]).decode()
        for namespace, name, key in SECRETS
    ]
