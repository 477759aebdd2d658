"""The recorded tree of each stack: what a first `pulumi up` asks the engine for.

A change shows as a difference to read. When it is wanted: PULUMI_ACCEPT=1 pytest tests/golden.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from support import recorder, stacks

HERE = Path(__file__).parent
FOREIGN = "ml-platform:bundles:Bundle"


@pytest.mark.parametrize(
    "stack",
    [pytest.param(each, marks=[] if each in stacks.LEAN else pytest.mark.mirror) for each in sorted(stacks.FILES)],
)
def test_a_stack_asks_for_what_is_recorded(stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    stacks.log_in(monkeypatch, tmp_path)
    if stack in stacks.LEAN:
        monkeypatch.delenv("ML_PLATFORM_MIRROR", raising=False)
    found = json.dumps(tree(stack), indent=1, sort_keys=True) + "\n"
    golden = HERE / f"{stack}.json"
    if os.environ.get("PULUMI_ACCEPT"):
        golden.write_text(found)
    assert golden.read_text() == found, "the tree has changed; if that is wanted: PULUMI_ACCEPT=1 pytest tests/golden"


def test_a_second_record_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    assert tree("local") == tree("local")


def tree(stack: str) -> dict[str, Any]:
    found = stacks.record(stack)
    resources = {short(urn): entry(request) for urn, request in found.requests.items()}
    return {"exports": found.shown, "resources": resources}


def entry(request: Any) -> dict[str, Any]:
    """Full inputs for our own objects; for those of foreign bundles a digest, since their text is pinned already."""
    inputs = recorder.inputs(request)
    if "mirror" in inputs:
        inputs["mirror"] = bool(inputs["mirror"])  # a path of this machine
    if inputs.get("kind") == "ConfigMap" and "data" in inputs:
        inputs["data"] = {name: code(name, text) for name, text in inputs["data"].items()}
    foreign = FOREIGN in request.parent
    text = json.dumps(inputs, sort_keys=True)
    known = {
        "parent": short(request.parent),
        "dependencies": sorted(map(short, request.dependencies)),
        "provider": short(request.provider.rpartition("::")[0]),
        "deleted_with": short(request.deletedWith),
        "protect": request.protect,
        "inputs": hashlib.sha256(text.encode()).hexdigest() if foreign else inputs,
    }
    return {key: value for key, value in known.items() if value}


def code(name: str, text: str) -> str:
    """Programs that come with a run by their digest: they are in this repository."""
    return hashlib.sha256(text.encode()).hexdigest() if name.endswith(".py") else text


def short(urn: str) -> str:
    """Without the stack and the project, which are the same for all."""
    return urn.partition("::")[2].partition("::")[2]
