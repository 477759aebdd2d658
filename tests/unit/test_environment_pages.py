"""The pages of environments name settings, files and secrets that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ml_platform.settings import ClusterSettings, SharedPlatform
from support import stacks

PAGES = sorted((stacks.ROOT / "docs/environments").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_about_a_stack_file_and_its_settings(page: Path) -> None:
    text = page.read_text()
    assert f"stacks/Pulumi.{page.stem}.yaml" in text
    assert (stacks.ROOT / f"stacks/Pulumi.{page.stem}.yaml").exists()
    rows = re.findall(r"^\| (`.*?`) \|", text, flags=re.MULTILINE)
    named = {name.partition(".")[0] for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert len(named) > 3
    assert named <= settings(page.stem)


def settings(stack: str) -> set[str]:
    """The keys that a page may explain: of the source of its cluster and, where that is another stack, its platform."""
    blocks = stacks.blocks(stack)
    source = blocks["ml-platform:cluster"]["source"]
    cluster = ClusterSettings.model_json_schema()["$defs"][f"{source.capitalize()}Cluster"]
    shared = "source" in blocks["ml-platform:platform"]
    return {*cluster["properties"], *(SharedPlatform.model_fields if shared else ())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_stack_file_names_its_page(page: Path) -> None:
    named = re.findall(r"docs/[\w/.-]+\.md", stacks.FILES[page.stem].read_text())
    assert named
    assert all((stacks.ROOT / each).exists() for each in named)
