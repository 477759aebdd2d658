"""The pages of environments name settings, files and secrets that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ml_images.registry import Registry
from ml_platform.configuration import validate
from ml_platform.settings import ClusterSettings, PlatformSettings, SharedPlatform
from support import clouds, stacks
from support.advice import followed

PAGES = sorted((stacks.ROOT / "docs/environments").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_about_a_stack_file_and_its_settings(page: Path) -> None:
    text = page.read_text()
    for stack in of_page(page):
        assert f"stacks/Pulumi.{stack}.yaml" in text
        assert (stacks.ROOT / f"stacks/Pulumi.{stack}.yaml").exists()
        rows = re.findall(r"^\| (`.*?`) \|", section(text, stack), flags=re.MULTILINE)
        named = {name.partition(".")[0] for row in rows for name in re.findall(r"`([\w.]+)`", row)}
        assert len(named) > 2
        assert named <= settings(stack)


def of_page(page: Path) -> list[str]:
    """The stacks that a page is about: in a cloud there are two."""
    return [f"{page.stem}-cluster", page.stem] if page.stem in stacks.CLOUDS else [page.stem]


def section(text: str, stack: str) -> str:
    """What has to be decided for a stack."""
    (found,) = re.findall(rf"^## Decide, in `stacks/Pulumi\.{stack}\.yaml`\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("cloud", stacks.CLOUDS)
def test_the_commands_of_a_cloud_are_in_the_order_in_which_they_can_run(cloud: str) -> None:
    text = (stacks.ROOT / f"docs/environments/{cloud}.md").read_text()
    in_order = [
        f"pulumi stack init {cloud}-cluster ",
        f"pulumi stack init {cloud} ",
        f"pulumi config set --stack {cloud} --secret ml-platform:seed ",
        f"pulumi preview --stack {cloud}-cluster ",
        f"pulumi up --stack {cloud}-cluster ",
        f"registry=$(pulumi stack output registry --stack {cloud}-cluster)",
        f'make images REGISTRY="$registry" STACK={cloud} ',
        f"pulumi preview --stack {cloud} ",
        f"pulumi up --stack {cloud}\n",
        f"pulumi up --stack {cloud} && pulumi destroy --stack {cloud}\n",
        f"pulumi up --stack {cloud}-cluster && pulumi destroy --stack {cloud}-cluster\n",
    ]
    at = [text.find(f"    {command}") for command in in_order]
    assert -1 not in at, in_order[at.index(-1)]
    assert at == sorted(at)


@pytest.mark.parametrize("cloud", stacks.CLOUDS)
def test_the_settings_that_a_page_sets_are_accepted(cloud: str) -> None:
    text = (stacks.ROOT / f"docs/environments/{cloud}.md").read_text().replace("<digest>", f"sha256:{'0' * 64}")
    for stack in (f"{cloud}-cluster", cloud):
        commands = [line for line in text.splitlines() if f"pulumi config set --stack {stack} --path" in line]
        config = followed(stacks.blocks(stack), "\n".join(commands))
        cluster: Any = validate("cluster", config["ml-platform:cluster"], ClusterSettings).root
        assert cluster.data == "delete"
        assert bool(getattr(cluster, "autoscaler", None)) == (stack == "eks-cluster")


@pytest.mark.parametrize("cloud", stacks.CLOUDS)
def test_the_registry_that_images_are_pushed_to_is_an_output_of_the_clusters_stack(
    cloud: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stacks.log_in(monkeypatch, tmp_path)
    registry = stacks.record(f"{cloud}-cluster", world=clouds.Cloud()).exports["registry"]
    assert str(Registry.parse(registry)) == registry


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
    shared = "source" in blocks.get("ml-platform:platform", {})
    return {*cluster["properties"], *(SharedPlatform.model_fields if shared else ())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_stack_file_names_its_page(page: Path) -> None:
    for stack in of_page(page):
        named = re.findall(r"docs/[\w/.-]+\.md", stacks.FILES[stack].read_text())
        assert named
        assert all((stacks.ROOT / each).exists() for each in named)
