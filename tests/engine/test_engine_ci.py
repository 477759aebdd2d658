"""CI's commands on real runs of the engine: what a preview reports, what an update takes, what drift is. And its
workflows before GitHub's linter, which is built for that."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import echo_provider
import pytest
from ml_ci import runs
from ml_ci.errors import CiError
from ml_ci.report import Cost
from ml_local import paths, toolchains
from ml_platform.kube import Client
from pulumi_project import STACK, Project
from support.declared import GOOD, sent
from support.refused import CASES, changed

pytestmark = pytest.mark.engine

POLICIES = paths.checkout() / "policies"
PROGRAM = (paths.checkout() / "tests" / "support" / "policy_program.py").read_text()


def in_ci(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, as a checkout of its own with the pack; and what a job's environment holds."""
    (project.folder / "policies").symlink_to(POLICIES)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project.folder


def test_a_preview_reports_findings_and_the_cost_that_the_pack_tells(
    bare_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = bare_project(program=PROGRAM)
    echo_provider.install(Path(project.environment["PULUMI_HOME"]), "gcp", "aws", "ionoscloud")
    root = in_ci(project, monkeypatch)
    project.declare(*sent(changed(CASES)))
    refused = runs.preview(STACK, root)
    assert refused.errors[0] == "A mandatory policy refuses it."
    retries = [each.text for each in refused.findings if each.policy == "bounded-retries"]
    assert retries == ["Job models/load: it is tried again 6 times; set backoffLimit to 5 at most"]
    project.declare(*sent(GOOD))
    mended = runs.preview(STACK, root)
    assert mended.errors == ()
    assert [each.level for each in mended.findings if each.level == "mandatory"] == []
    assert {each.does for each in mended.changes} == {"create"}
    assert "TrainJob models/train" in {each.resource for each in mended.changes}
    assert mended.before == Cost()
    assert f"at most {mended.after.stack:,.0f} EUR a month" in mended.policies
    assert f"of it for b: {mended.after.teams['b']:,.0f} EUR" in mended.policies


def test_an_update_its_next_preview_and_drift(
    stack: Any, kube: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = in_ci(stack, monkeypatch)
    stack.declare(stack.object("ConfigMap", "c", data={"a": "1"}))
    runs.up(STACK, "a message", root)
    assert runs.preview(STACK, root).changes == ()
    assert runs.drift(STACK, root).changes == runs.due(STACK, root).changes == ()
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": namespace}}
    kube.apply({**other, "data": {"a": "2"}}, field_manager="somebody", force=True)
    (drifted,) = runs.drift(STACK, root).changes
    assert (drifted.does, drifted.resource) == ("update", f"ConfigMap {namespace}/c")
    stack.declare(stack.object("ConfigMap", "c", data={"a": "3"}))
    (change,) = runs.preview(STACK, root).changes
    assert runs.due(STACK, root).changes == (change,)
    assert (change.does, change.properties) == ("replace", ("data.a",))


def test_an_update_that_a_policy_refuses_changes_nothing(
    stack: Any, kube: Client, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = in_ci(stack, monkeypatch)
    spec = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    stack.declare(stack.object("Role", "all", "rbac.authorization.k8s.io/v1", **spec))
    with pytest.raises(CiError, match=r"(?s)A mandatory policy refuses it.*run the job again"):
        runs.up(STACK, "a message", root)
    assert kube.list("rbac.authorization.k8s.io/v1", "Role", namespace) == []


def test_a_stack_that_was_never_made_is_told_with_the_command(
    bare_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = in_ci(bare_project(), monkeypatch)
    found = runs.preview("gke", root)
    assert "make it once: pulumi stack init gke" in found.errors[0]


def test_githubs_linter_has_nothing_against_the_workflows() -> None:
    (toolchain,) = (each for each in toolchains.toolchains() if each.name == "actionlint")
    toolchains.build(toolchain)
    lint = [str(toolchains.binary("actionlint")), "-shellcheck=", "-pyflakes=", "-no-color"]
    done = subprocess.run(lint, cwd=paths.checkout(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    text = (paths.checkout() / ".github/workflows/merge.yml").read_text()
    broken = text.replace("needs.changed.outputs.stacks", "needs.changed.outputs.stack")
    done = subprocess.run([*lint, "-"], input=broken, cwd=paths.checkout(), capture_output=True, text=True, check=False)
    assert 'property "stack" is not defined' in done.stdout
