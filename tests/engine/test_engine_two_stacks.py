"""A platform on the cluster of another stack, in a real preview: what it takes of that one, and what it refuses."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from control_plane import ControlPlane
from ml_local import paths
from pulumi_project import Project
from support import chosen, other_cluster, stacks

pytestmark = pytest.mark.engine

STACKS = str(paths.checkout() / "stacks")
OF_CLUSTER = """import json
import pulumi

for name, value in json.load(open("exports.json")).items():
    pulumi.export(name, pulumi.Output.secret(value) if name in json.load(open("secrets.json")) else value)
"""
PLATFORM = f"import runpy\n\nrunpy.run_path({STACKS!r}, run_name='__main__')\n"


@pytest.fixture
def cluster(bare_project: Callable[..., Project], control_plane: ControlPlane) -> str:
    """The full name of a stack that has made a cluster on GKE, as far as its outputs say."""
    project = bare_project(program=OF_CLUSTER)
    found = {**other_cluster.exports("gke"), "kubeconfig": control_plane.kubeconfig}
    (project.folder / "exports.json").write_text(json.dumps(found))
    (project.folder / "secrets.json").write_text(json.dumps(other_cluster.SECRETS))
    made = project.up()
    assert made.ok, made.text
    return f"organization/{project.folder.name}/test"


def test_a_platform_on_the_cluster_of_another_stack_is_previewed_with_what_that_one_has_made(
    cluster: str, bare_project: Callable[..., Project]
) -> None:
    project = bare_project(program=PLATFORM)
    rename(project)
    project.environment["PYTHONPATH"] = os.pathsep.join(
        str(paths.checkout() / root) for root in ("platform", "workloads")
    )
    config: dict[str, Any] = {
        "ml-platform:cluster": {"source": "stack", "stack": cluster},
        "ml-platform:seed": "a seed",
        "ml-platform:platform": {
            "bundles": chosen.LEAN,
            "object_store": other_cluster.STORE,
            "registry_login": "cluster",
            "images": stacks.images(chosen.all_images(chosen.platform(bundles=chosen.LEAN))),
        },
    }
    settings = project.folder / "Pulumi.test.yaml"
    given: dict[str, Any] = yaml.safe_load(settings.read_text())  # the salt of its secrets

    def preview(**platform: Any) -> Any:
        block = {**config["ml-platform:platform"], **platform}
        settings.write_text(yaml.safe_dump({**given, "config": {**config, "ml-platform:platform": block}}))
        return project.preview("--json")

    shown = preview()
    assert shown.ok, shown.text
    for made in ("nlb", "192.0.2.9", "https://s3.test"):
        assert made in shown.text
    assert "very secret" not in shown.text
    refused = preview(object_store={**other_cluster.STORE, "artifacts": "acme-new"})
    assert not refused.ok
    assert f"ml-platform:cluster makes of stack {cluster}: acme-old, acme-raw" in refused.text


def rename(project: Project) -> None:
    """Gives the project the name by which its settings are keyed, and its stack again."""
    (project.folder / "Pulumi.yaml").write_text("name: ml-platform\nruntime: python\n")
    project.run("stack", "init", "test")
