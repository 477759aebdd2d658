"""The pages of environments name settings, files and secrets that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ml_platform.configuration import validate
from ml_platform.settings import ClusterSettings, PlatformSettings, SharedPlatform
from support import stacks
from support.advice import followed

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


@pytest.mark.parametrize("machine", ["kind", "k3d", "minikube"])
def test_the_commands_for_a_machine_of_ones_own_lead_to_settings_that_are_accepted(machine: str) -> None:
    page = (stacks.ROOT / "docs/environments/existing.md").read_text()
    (commands,) = re.findall(rf"^\*\*{machine}\*\*.*\n\n((?: {{4}}.*\n)+)", page, flags=re.MULTILINE)
    config = followed(stacks.blocks("existing"), commands)
    cluster: Any = validate("cluster", config["ml-platform:cluster"], ClusterSettings).root
    platform = validate("platform", config["ml-platform:platform"], PlatformSettings)
    assert cluster.context.endswith("ml")
    assert (cluster.data, cluster.load_balancer.assumed) == ("delete", machine != "k3d")
    assert platform.gateway.domain.endswith(".sslip.io")
    assert commands.count("pulumi up --stack existing") == 1 + (machine != "k3d"), (
        "the address is known beforehand, or not"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_files_that_a_page_sends_are_there(page: Path) -> None:
    sent = re.findall(r"-d @(\S+)", page.read_text())
    assert all((stacks.ROOT / each).exists() for each in sent)


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
