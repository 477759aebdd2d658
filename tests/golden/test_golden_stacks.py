"""The recorded tree of each stack: what a first `pulumi up` asks the engine for.

A change shows as a difference to read. When it is wanted: PULUMI_ACCEPT=1 pytest tests/golden.
"""

from __future__ import annotations

import hashlib
import json
import os
import runpy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_platform import selection
from ml_platform.configuration import validate
from ml_platform.settings import PlatformSettings
from support import recorder

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
FOREIGN = "ml-platform:bundles:Bundle"
STACKS = {
    **{path.stem.removeprefix("Pulumi."): path for path in (ROOT / "stacks").glob("Pulumi.*.yaml")},
    **{path.stem: path for path in (ROOT / "tests" / "stacks").glob("*.yaml")},
}
LEAN = ("local",)
KUBECONFIG = {
    "clusters": [{"name": "test", "cluster": {"server": "https://test.invalid"}}],
    "contexts": [{"name": "test", "context": {"cluster": "test"}}],
    "current-context": "test",
}


@pytest.mark.parametrize(
    "stack", [pytest.param(each, marks=[] if each in LEAN else pytest.mark.mirror) for each in sorted(STACKS)]
)
def test_a_stack_asks_for_what_is_recorded(stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(node(tmp_path)))
    if stack in LEAN:
        monkeypatch.delenv("ML_PLATFORM_MIRROR", raising=False)
    found = json.dumps(tree(stack), indent=1, sort_keys=True) + "\n"
    golden = HERE / f"{stack}.json"
    if os.environ.get("PULUMI_ACCEPT"):
        golden.write_text(found)
    assert golden.read_text() == found, "the tree has changed; if that is wanted: PULUMI_ACCEPT=1 pytest tests/golden"


def test_a_second_record_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(node(tmp_path)))
    assert tree("local") == tree("local")


def tree(stack: str) -> dict[str, Any]:
    config = yaml.safe_load(STACKS[stack].read_text())["config"]
    secrets = {}
    if config["ml-platform:cluster"]["source"] == "existing":
        config["ml-platform:cluster"].pop("kubeconfig", None)
        config["ml-platform:platform"].setdefault("images", images({"traefik", *selection.OWN_IMAGES}))
        secrets = {"ml-platform:seed": "a seed", "ml-platform:kubeconfig": json.dumps(KUBECONFIG)}
    found = recorder.record(
        lambda: runpy.run_path(str(ROOT / "stacks" / "__main__.py")),
        stack=stack,
        config={**config, **secrets},
        secrets=secrets,
    )
    resources = {short(urn): entry(request) for urn, request in found.requests.items()}
    return {"exports": found.exports, "resources": resources}


def entry(request: Any) -> dict[str, Any]:
    """Full inputs for our own objects; for those of foreign bundles a digest, since their text is pinned already."""
    inputs = recorder.inputs(request)
    if "mirror" in inputs:
        inputs["mirror"] = bool(inputs["mirror"])  # a path of this machine
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


def short(urn: str) -> str:
    """Without the stack and the project, which are the same for all."""
    return urn.partition("::")[2].partition("::")[2]


def images(names: Iterable[str]) -> dict[str, str]:
    return {name: f"registry.test/{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}" for name in names}


def node(folder: Path) -> Path:
    """A state directory as the node leaves it, with all images that a stack for it may want."""
    chosen = [yaml.safe_load(path.read_text())["config"]["ml-platform:platform"] for path in STACKS.values()]
    names = {name for each in chosen for name in selection.image_names(validate("platform", each, PlatformSettings))}
    files = {"kubeconfig": json.dumps(KUBECONFIG), "images": json.dumps(images(names)), "seed": "a seed\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
    paths = {name: str(folder / name) for name in files}
    (folder / "cluster.json").write_text(json.dumps({**paths, "registry": "registry.test"}))
    return folder
