"""The policy pack in real previews: what it refuses and accepts, and what it does where it can't judge."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import echo_provider
import pytest
import yaml
from control_plane import ControlPlane
from ml_local import paths
from ml_policies.catalog import POLICIES
from pulumi_project import Project, Result
from support import stacks
from support.declared import GOOD, Declared, sent
from support.refused import CASES, MAIN, Case, changed

pytestmark = pytest.mark.engine

PACK = paths.checkout() / "policies"
PROGRAM = (paths.checkout() / "tests" / "support" / "policy_program.py").read_text()
STRICT: dict[str, Any] = {
    "image-registry": {"registries": ["registry.example.com"]},
    "enough-replicas": {"minimum": 3},
    "disruption-budget": "mandatory",
    "ownership-labels": "mandatory",
    "trusted-edge": "mandatory",
}
STACKS = str(paths.checkout() / "stacks")
UNKNOWN = {"$unknown": True}
Judged = Callable[..., Result]


@pytest.fixture
def judged(bare_project: Callable[..., Project]) -> Judged:
    """The preview of a stack under the pack, with these settings."""
    project = bare_project(program=PROGRAM)
    echo_provider.install(Path(project.environment["PULUMI_HOME"]), "gcp", "aws", "ionoscloud")

    def preview(stack: Mapping[str, Declared], settings: Mapping[str, Any] = STRICT, pack: Path = PACK) -> Result:
        project.declare(*sent(stack))
        config = project.folder / "policies.json"
        config.write_text(json.dumps(settings))
        return project.preview("--policy-pack", str(pack), "--policy-pack-config", str(config))

    return preview


def test_each_policy_refuses_a_bad_stack_and_accepts_the_mended_one(judged: Judged) -> None:
    refused = judged(changed(CASES))
    assert not refused.ok
    refusing = set(re.findall(r"\[mandatory\] +(\S+) ", refused.text))  # each of which fails a preview alone
    assert refusing == {policy.name for policy in POLICIES}, refused.text
    mended = judged(GOOD)
    assert mended.ok, mended.text
    assert "[mandatory]" not in mended.text


def test_an_unknown_value_is_counted_and_in_a_bundle_refused(judged: Judged) -> None:
    later = changed([Case("", "web", {f"{MAIN}.image": UNKNOWN})])
    ours = judged(later)
    assert ours.ok, ours.text
    assert "image-by-digest could not judge Deployment models/web spec.template.spec.containers[0].image" in ours.text
    theirs = judged({**later, "web": replace(later["web"], bundle="kserve")})
    assert not theirs.ok
    assert "is not known before the update, so this can't be judged; an object of bundle kserve must be" in theirs.text


def test_a_policy_that_crashes_refuses_and_names_itself_and_the_resource(judged: Judged) -> None:
    strange = judged(changed([Case("", "load", {"spec.parallelism": "many"})]))
    assert not strange.ok
    assert "Job models/load: policy bounded-run-size crashed" in strange.text


def test_settings_of_a_policy_that_there_is_not_are_refused(judged: Judged) -> None:
    refused = judged({}, {"no-such-policy": "advisory"})
    assert not refused.ok
    assert "'no-such-policy' is no policy; there are api-server-access, " in refused.text


@pytest.mark.parametrize("stack", ["local", pytest.param("everything", marks=pytest.mark.mirror)])
def test_a_stack_file_passes_in_a_real_preview(
    stack: str, bare_project: Callable[..., Project], control_plane: ControlPlane, tmp_path: Path
) -> None:
    project = bare_project(program=f"import runpy\n\nrunpy.run_path({STACKS!r}, run_name='__main__')\n")
    (project.folder / "Pulumi.yaml").write_text("name: ml-platform\nruntime: python\n")
    (project.folder / "workloads").symlink_to(paths.checkout() / "workloads")  # where scripts of runs are
    project.environment |= {
        "ML_PLATFORM_STATE": str(stacks.node(tmp_path)),
        "ML_PLATFORM_MIRROR": os.environ.get("ML_PLATFORM_MIRROR", ""),
        "PYTHONPATH": os.pathsep.join(str(paths.checkout() / root) for root in ("platform", "workloads")),
    }
    (tmp_path / "kubeconfig").write_text(control_plane.kubeconfig)
    config = yaml.safe_load(stacks.FILES[stack].read_text())["config"]
    if config["ml-platform:cluster"]["source"] == "existing":
        config["ml-platform:cluster"]["kubeconfig"] = str(tmp_path / "kubeconfig")
        config["ml-platform:seed"] = "a seed"
    (project.folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": config}))
    project.run("stack", "init", stack)
    shown = project.preview("--stack", stack, "--policy-pack", str(PACK))
    assert shown.ok, shown.text
    assert "report" in shown.text


def test_a_broken_file_of_exemptions_is_told_without_a_traceback(judged: Judged, tmp_path: Path) -> None:
    pack = shutil.copytree(PACK, tmp_path / "pack")
    (pack / "exemptions.toml").write_text('[[exemption]]\npolicies = ["host-access"]\nresources = ["*"]\n')
    refused = judged({}, pack=pack)
    assert not refused.ok
    assert "exemptions.toml.exemption.0.reason: Field required" in refused.text
    assert "Traceback" not in refused.text
