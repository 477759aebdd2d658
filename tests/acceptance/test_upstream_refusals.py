"""What the largest stack refuses on a cluster, before anything of that is touched: owners, sources, versions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import engine, paths, toolchains
from ml_platform.kube import Client
from support import inventory
from support.control_plane import ControlPlane
from support.pulumi_project import Project, environment

LARGEST = paths.checkout() / "tests" / "stacks" / "everything.yaml"
ROOTS = ("platform", "workloads", "local/engine")
PROGRAM = f"import runpy\n\nrunpy.run_path({str(paths.checkout() / 'stacks')!r}, run_name='__main__')\n"
Stack = Callable[..., tuple[Project, dict[str, str]]]


@pytest.fixture
def client(plane: ControlPlane) -> Iterator[Client]:
    with plane.scratch() as client:
        yield client


@pytest.fixture
def stack(tmp_path: Path, plane: ControlPlane) -> Stack:
    """The largest stack on the control plane, with other settings of its bundles."""
    commands, home = tmp_path / "bin", tmp_path / "home"
    commands.mkdir()
    built = toolchains.binary("pulumi")
    shutil.copy2(built, commands / "pulumi")
    engine.install(commands, home, built.parent / engine.EXEC)
    project = Project(tmp_path / "ml-platform", environment(home, tmp_path / "state", commands), program=PROGRAM)
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(plane.kubeconfig)

    def configured(**bundles: Any) -> tuple[Project, dict[str, str]]:
        file = project.folder / "Pulumi.test.yaml"
        config = yaml.safe_load(LARGEST.read_text())["config"]
        config["ml-platform:cluster"] = {"source": "existing", "kubeconfig": str(kubeconfig)}
        config["ml-platform:platform"]["bundles"] = bundles
        config["ml-platform:seed"] = "a seed"
        file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "config": config}))
        roots = os.pathsep.join(str(paths.checkout() / root) for root in ROOTS)
        return project, {"PYTHONPATH": roots}

    return configured


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A copy of the mirror, to be damaged; links, so that it costs nothing."""
    copy, original = tmp_path / "mirror", paths.mirror()
    assert original
    for path in original.glob("*/*.yaml"):
        (copy / path.parent.name).mkdir(parents=True, exist_ok=True)
        (copy / path.parent.name / path.name).symlink_to(path)
    return copy


def refused(stack: tuple[Project, dict[str, str]], client: Client, **more: str) -> str:
    """What `pulumi up` says when it fails; the cluster is as it was."""
    project, variables = stack
    before = inventory.everything(client)
    done = project.up(**variables, **more)
    assert not done.ok, done.text
    assert inventory.everything(client) == before
    return done.text


def test_a_kind_that_somebody_else_holds_is_named_with_its_owner_and_the_way_out(stack: Stack, client: Client) -> None:
    name = "rayclusters.ray.io"
    client.create(definition(name), field_manager="helm")
    try:
        said = refused(stack(), client)
    finally:
        client.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
    assert name in said
    assert "Helm" in said
    assert "ml-platform:platform.bundles.existing" in said
    assert "kuberay" in said


def test_a_profile_whose_namespace_is_somebody_elses_is_refused(stack: Stack, client: Client) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "research"}}
    client.create(namespace, field_manager="kubectl")
    said = refused(stack(), client)
    assert "has Namespace research already, from somebody who wrote them with kubectl" in " ".join(said.split())


def test_a_release_that_is_not_the_recorded_one_is_refused_with_both_digests(
    stack: Stack, client: Client, mirror: Path, tmp_path: Path
) -> None:
    path = mirror / "kuberay-operator" / next((mirror / "kuberay-operator").iterdir()).name
    text = path.read_text()
    path.unlink()
    path.write_text(f"{text}\n# changed\n")
    said = refused(stack(mirror=str(mirror)), client, ML_PLATFORM_RENDERINGS=str(tmp_path / "none"))
    digests = [word.strip(".,;:)") for word in said.split() if len(word.strip(".,;:)")) == 64]
    assert len(set(digests)) == 2
    assert str(path) in said


def test_a_release_that_the_mirror_lacks_without_a_network_is_named_with_where_it_would_come_from(
    stack: Stack, client: Client, mirror: Path, tmp_path: Path
) -> None:
    shutil.rmtree(mirror / "kuberay-operator")
    away = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"}
    said = refused(stack(mirror=str(mirror)), client, ML_PLATFORM_RENDERINGS=str(tmp_path / "none"), **away)
    assert "kuberay-operator" in said
    assert "github.com/ray-project/kuberay" in said
    assert str(mirror) in said


def definition(name: str) -> dict[str, Any]:
    """As Helm has left it."""
    plural, _, group = name.partition(".")
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    names = {"plural": plural, "singular": plural.removesuffix("s"), "kind": "RayCluster", "listKind": "RayClusterList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {
            "group": group,
            "names": names,
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
