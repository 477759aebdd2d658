"""The recorded tree of each stack: what a first `pulumi up` asks the engine for.

A change shows as a difference to read. When it is wanted: PULUMI_ACCEPT=1 pytest tests/golden.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ml_platform import pods
from support import recorder, stacks

HERE = Path(__file__).parent
FOREIGN = "ml-platform:bundles:Bundle"


# By image: the variables and flags that keep its software from reporting to its makers. That of all others has no such
# thing: what they run is Knative, KServe, Istio, cert-manager and the operators.
KEEPS_QUIET = {
    **dict.fromkeys(("mlflow", "mlserver", "pipeline", "training", "tuning"), pods.UNREPORTED),
    "traefik": {"--global.checknewversion": "false", "--global.sendanonymoususage": "false"},
}


@dataclass(frozen=True)
class Recorded:
    stack: str
    found: recorder.Recorder


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(each, marks=[] if each in stacks.LEAN else pytest.mark.mirror) for each in sorted(stacks.FILES)
    ],
)
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("node")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_PLATFORM_STATE", str(stacks.node(folder)))
        stacks.log_in(patch, folder)
        if request.param in stacks.LEAN:
            patch.delenv("ML_PLATFORM_MIRROR", raising=False)
        return Recorded(request.param, stacks.record(request.param))


@pytest.mark.parametrize("part", ["own", "bundles"])
def test_a_stack_asks_for_what_is_recorded(recorded: Recorded, part: str) -> None:
    found = json.dumps(tree(recorded.found)[part], indent=1, sort_keys=True) + "\n"
    golden = HERE / part / f"{recorded.stack}.json"
    if os.environ.get("PULUMI_ACCEPT"):
        golden.write_text(found)
    assert golden.read_text() == found, "the tree has changed; if that is wanted: PULUMI_ACCEPT=1 pytest tests/golden"


def test_no_container_reports_to_the_makers_of_its_software(recorded: Recorded) -> None:
    seen = list(containers([recorder.inputs(request) for request in recorded.found.requests.values()]))
    assert seen or recorded.stack.endswith("-cluster")  # a cluster without a platform on it may run nothing
    for each in seen:
        env = {variable["name"]: variable.get("value") for variable in each.get("env", ())}
        flags = dict(flag.partition("=")[::2] for flag in each.get("args", ()))
        assert KEEPS_QUIET[short_name(each["image"])].items() <= {**env, **flags}.items(), each["name"]


def test_a_second_record_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    assert tree(stacks.record("local")) == tree(stacks.record("local"))


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """All whose software could report, wherever an object has them."""
    if isinstance(value, dict) and short_name(str(value.get("image"))) in KEEPS_QUIET:
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from containers(each)


def short_name(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0]


def tree(found: recorder.Recorder) -> dict[str, Any]:
    """Our own objects by their name, with their full inputs. Those of foreign bundles, whose text is pinned already,
    have a digest of theirs, and are together with all others of the bundle that have the same place among resources."""
    resources = {short(urn): entry(request) for urn, request in found.requests.items()}
    assert len(resources) == len(found.requests), "two resources of one type have one name"
    own = {name: each for name, each in resources.items() if isinstance(each["inputs"], dict)}
    bundles: dict[str, list[dict[str, Any]]] = {}
    for name in sorted(resources.keys() - own):
        place = dict(resources[name])
        digest, parent = place.pop("inputs"), place.pop("parent")
        groups = bundles.setdefault(parent, [])
        same = next((each for each in groups if each.items() >= place.items() and len(each) == len(place) + 1), None)
        if same is None:
            groups.append(same := {**place, "objects": {}})
        same["objects"][name.removeprefix("kubernetes:")] = digest
    return {"own": {"exports": found.shown, "resources": own}, "bundles": bundles}


def entry(request: Any) -> dict[str, Any]:
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
        "provider": request.provider.rpartition("::")[0].rpartition("::")[2],
        "deleted_with": short(request.deletedWith),
        "protect": request.protect,
        "inputs": hashlib.sha256(text.encode()).hexdigest()[:16] if foreign else inputs,
    }
    return {key: value for key, value in known.items() if value or key == "inputs"}


def code(name: str, text: str) -> str:
    """Programs that come with a run by their digest: they are in this repository."""
    return hashlib.sha256(text.encode()).hexdigest() if name.endswith(".py") else text


def short(urn: str) -> str:
    """Without the stack and the project, which are the same for all, and the types of its parents, of which it names
    the nearest itself."""
    kind, _, name = urn.partition("::")[2].partition("::")[2].partition("::")
    return f"{kind.rpartition('$')[2]}::{name}" if name else ""
