"""What README and the page about the work show is what there is: commands, settings, programs, files."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import paths
from ml_local.__main__ import COMMANDS
from ml_platform.configuration import validate
from ml_platform.settings import platform_model
from ml_runtime.estimators import ESTIMATORS
from ml_workloads import packages
from ml_workloads.settings import WorkloadsSettings
from support import machine, readme

CHECKOUT = paths.checkout()
PAGES = ("README.md", readme.WORK)
SETTINGS = [yaml.safe_load(block) for page in PAGES for block in readme.fenced("yaml", page)]
PROGRAMS = [program for page in PAGES for program in readme.fenced("python", page)]
EXAMPLES = sorted((CHECKOUT / "workloads" / "examples").glob("*/workloads.yaml"))


@pytest.mark.parametrize("block", SETTINGS, ids=lambda block: "-".join(next(iter(block.values()))))
def test_settings_are_accepted(block: dict[str, Any]) -> None:
    validate("workloads", block, WorkloadsSettings)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_goes_beside_the_blocks_of_any_stack_file(example: Path, tmp_path: Path) -> None:
    blocks = yaml.safe_load(example.read_text())
    for base in (machine.STACK_FILE, *CHECKOUT.glob("tests/stacks/*.yaml")):
        both = yaml.safe_load(machine.settings("workloads", blocks, tmp_path, base=base).read_text())
        validate("workloads", both["config"]["ml-platform:workloads"], WorkloadsSettings)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_packages_of_an_example_are_pinned_by_hash(example: Path) -> None:
    settings = validate("workloads", yaml.safe_load(example.read_text()), WorkloadsSettings)
    packed = {name for name, model in settings.models.items() if model.packages}
    assert {name for name, each in packages.of_models(settings, CHECKOUT).items() if each.decisive} == packed


@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_programs_call_what_our_package_has(program: str) -> None:
    nodes = list(ast.walk(ast.parse(program)))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "ml_runtime"]
    modules = {
        alias.name: importlib.import_module(f"ml_runtime.{alias.name}") for node in imports for alias in node.names
    }
    attributes = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    called = [(node.value.id, node.attr) for node in attributes if isinstance(node.value, ast.Name)]
    assert [each for each in called if each[0] in modules and not hasattr(modules[each[0]], each[1])] == []


def test_commands_are_targets_of_make() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    shown = set(re.findall(r"(?:^|[`(])(?:\w+=\S+ )?make ([a-z-]+)", readme.text(), flags=re.MULTILINE))
    assert shown
    assert shown - targets == set()
    assert set(re.findall(r"ml_local ([a-z]+)", makefile)) == set(COMMANDS)


def test_the_page_about_the_work_names_all_estimators() -> None:
    assert set(re.findall(r"`([a-z-]+)`", readme.text(readme.WORK))) >= set(ESTIMATORS)


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page: str) -> None:
    folders = "stacks|platform|workloads|policies|local|tests|docs"
    named = re.findall(rf"[`(]((?:{folders})/[\w./-]+)[`)]", readme.text(page))
    assert named
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


def test_settings_of_the_platform_that_are_named_exist() -> None:
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| ", readme.section("Choose what the platform is made of"), flags=re.MULTILINE
    )
    assert "gateway.ingress" in rows
    schema = platform_model({}).model_json_schema()
    for block, _, setting in (path.partition(".") for path in rows):
        below = re.findall(r"#/\$defs/(\w+)", str(schema["properties"][block]))
        assert not setting or any(setting in schema["$defs"][each].get("properties", {}) for each in below), setting
