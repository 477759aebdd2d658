"""The pages of environments name settings, files and secrets that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ml_platform.settings.cluster import ClusterSettings
from support import stacks

PAGES = sorted((stacks.ROOT / "docs/environments").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_about_a_stack_file_and_its_settings(page: Path) -> None:
    text = page.read_text()
    assert f"stacks/Pulumi.{page.stem}.yaml" in text
    assert (stacks.ROOT / f"stacks/Pulumi.{page.stem}.yaml").exists()
    rows = re.findall(r"^\| (`.*?`) \|", text, flags=re.MULTILINE)
    named = {name.partition(".")[0] for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    definitions = ClusterSettings.model_json_schema()["$defs"]
    assert len(named) > 3
    assert named <= set(definitions[f"{page.stem.capitalize()}Cluster"]["properties"])


@pytest.mark.parametrize("stack", [*stacks.CLOUDS, "existing"])
def test_a_stack_file_names_its_page(stack: str) -> None:
    assert yaml.safe_load(stacks.FILES[stack].read_text())["config"]["ml-platform:cluster"]["source"] == stack
    named = re.findall(r"docs/[\w/.-]+\.md", stacks.FILES[stack].read_text())
    assert named
    assert all((stacks.ROOT / each).exists() for each in named)
