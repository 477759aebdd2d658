"""The schema of stack files: fresh, and true for the files that are there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_platform.configuration import validate
from ml_platform.settings import ClusterSettings, OwnershipSettings, platform_of
from ml_workloads import schema
from ml_workloads.settings import WorkloadsSettings

ROOT = schema.FILE.parents[1]
STACKS = sorted([*ROOT.glob("stacks/Pulumi.*.yaml"), *ROOT.glob("tests/stacks/*.yaml")])


def test_the_file_is_what_the_settings_say() -> None:
    assert schema.FILE.read_text() == schema.text(), "write it anew: python -m ml_workloads.schema"


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.stem)
def test_a_stack_file_names_it_and_fulfils_the_settings(path: Path) -> None:
    named = path.read_text().partition("\n")[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == schema.FILE
    config = yaml.safe_load(path.read_text())["config"]
    assert validate("cluster", config["ml-platform:cluster"], ClusterSettings)
    assert platform_of(config.get("ml-platform:platform")) or "ml-platform:workloads" not in config
    assert validate("workloads", config.get("ml-platform:workloads", {}), WorkloadsSettings)
    assert validate("ownership", config.get("ml-platform:ownership", {}), OwnershipSettings)


def test_what_the_command_line_writes_is_allowed() -> None:
    root = schema.stack_file()
    assert {"encryptionsalt", "encryptedkey", "secretsprovider"} <= set(root["properties"])
    patterns = root["properties"]["config"]["patternProperties"]
    for key, allowed in (("ml-platform:seed", True), ("workloads:token", True), ("ml-platform:platform", False)):
        assert any(re.search(pattern, key) for pattern in patterns) is allowed, key


def test_every_reference_leads_somewhere() -> None:
    root = schema.stack_file()
    wanted = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(root)))
    assert wanted
    assert wanted <= set(root["$defs"])


def test_every_setting_is_closed_and_described() -> None:
    for name, definition in schema.stack_file()["$defs"].items():
        assert definition["description"], name
        assert definition["additionalProperties"] is False, name


def test_no_stack_file_holds_a_secret_in_the_clear() -> None:
    allowed = {f"ml-platform:{key}" for key in schema.BLOCKS}
    for path in STACKS:
        config: dict[str, Any] = yaml.safe_load(path.read_text())["config"]
        assert set(config) <= allowed, path
