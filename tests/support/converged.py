"""Whether the node's cluster is what the program declares: by the program run on mocks, not by the stack's state."""

from __future__ import annotations

import re
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import paths
from ml_local.environment import STACK
from ml_local.node.layout import layout
from ml_platform.kube import Client
from support import inventory, machine, recorder

DIGEST = re.compile(r"-[0-9a-f]{8}(?=-|$)")  # of a run's key; that of a gate is known only when its candidate is
MADE_BY_CONTROLLERS = ("Endpoints", "EndpointSlice", "Pod")
"""Kinds whose objects take over the labels of what they are made for."""


def assert_converged(config: Path | None, patch: pytest.MonkeyPatch, said: str) -> None:
    """Nothing is lost, twice, left over or to be changed: all is as the settings say, which may be the stack's own."""
    wanted, (found, unowned) = declared(config or machine.STACK_FILE, patch), there(machine.client())
    lost, more = wanted - found, unowned - wanted
    assert not lost, f"{said}: lost or too few: {sorted(lost.elements())}"
    assert not more, f"{said}: left over or too many: {sorted(more.elements())}"
    other = ["--config-file", str(config)] if config else []
    words = ("preview", "--stack", STACK, "--refresh", "--expect-no-changes", "--non-interactive")
    preview = machine.tool("pulumi", *words, *other)
    assert preview.returncode == 0, f"{said}:\n{preview.stdout}"


def declared(config: Path, patch: pytest.MonkeyPatch) -> Counter[str]:
    """How many objects of each name the program asks for."""
    patch.setenv("ML_PLATFORM_STATE", str(layout().state))
    content = yaml.safe_load(config.read_text())["config"]
    program = paths.checkout() / "stacks" / "__main__.py"
    found = recorder.record(lambda: runpy.run_path(str(program)), stack=STACK, config=content)
    names: Counter[str] = Counter()
    for request in found.requests.values():
        inputs = recorder.inputs(request)
        if request.type.startswith("kubernetes:"):
            names[_name(inputs["kind"], inputs["metadata"])] += 1
        elif request.type.endswith(":Definitions"):
            names.update(_name("CustomResourceDefinition", {"name": name}) for name in inputs["names"])
    return names


def there(client: Client) -> tuple[Counter[str], Counter[str]]:
    """How many objects of each name carry the stack's label: all, and those that belong to no other object."""
    found: Counter[str] = Counter()
    unowned: Counter[str] = Counter()
    for name, item in inventory.labelled(client, f"ml-platform/stack={STACK}"):
        kind = name.partition(" ")[0].partition(".")[0]
        if kind not in MADE_BY_CONTROLLERS:
            plain = _name(kind, item["metadata"])
            found[plain] += 1
            if not item["metadata"].get("ownerReferences"):
                assert "deletionTimestamp" not in item["metadata"], f"{name} is still on its way out"
                unowned[plain] += 1
    return found, unowned


def _name(kind: str, metadata: dict[str, Any]) -> str:
    return f"{kind} {metadata.get('namespace', '')}/{DIGEST.sub('', metadata['name'])}"
