"""One control plane and one set of plugins for all engine tests; a namespace and a project for each.

With ML_PLATFORM_OFFICIAL_KUBERNETES_PLUGIN naming a folder with the official plugin, the same tests judge that one.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane
from fake_kubelet import FakeKubelet
from ml_local import engine, toolchains
from ml_platform.kube import Client
from pulumi_project import Project, environment

OFFICIAL = os.environ.get("ML_PLATFORM_OFFICIAL_KUBERNETES_PLUGIN")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stand_in: what our plugin does beyond the official one's documentation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if OFFICIAL and item.get_closest_marker("stand_in"):
            item.add_marker(pytest.mark.skip(reason="beyond what the official plugin documents"))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="session")
def kube(control_plane: ControlPlane) -> Iterator[Client]:
    client = control_plane.client()
    with FakeKubelet(control_plane.client()):
        yield client


@pytest.fixture(scope="session")
def pulumi_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The built command and our plugins, in folders that nothing else uses."""
    root = tmp_path_factory.mktemp("pulumi")
    commands, home = root / "bin", root / "home"
    commands.mkdir()
    built = toolchains.binary("pulumi")
    try:
        os.link(built, commands / "pulumi")
    except OSError:
        shutil.copy2(built, commands / "pulumi")
    if OFFICIAL:
        shutil.copytree(OFFICIAL, home / "plugins" / engine.KUBERNETES)  # a link to it is not looked into
    engine.install(commands, home, built.parent / engine.EXEC)
    return environment(home, root / "state", commands)


@pytest.fixture
def namespace(kube: Client) -> str:
    name = f"t-{uuid.uuid4().hex[:8]}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    kube.create(body, field_manager="test")
    return name


@pytest.fixture
def bare_project(tmp_path: Path, pulumi_environment: dict[str, str]) -> Callable[..., Project]:
    """A project that is not about Kubernetes."""
    return lambda **kwargs: Project(tmp_path / f"p-{uuid.uuid4().hex[:8]}", pulumi_environment, **kwargs)


class Stack(Project):
    """A project whose resources are objects in one namespace, behind one explicit provider."""

    provider: dict[str, Any]
    namespace: str

    def declare(self, *resources: Mapping[str, Any]) -> "Stack":
        provider = {"type": "pulumi:providers:kubernetes", "name": "kubernetes", "props": self.provider}
        ours = [{**each, "options": {"provider": "kubernetes", **each.get("options", {})}} for each in resources]
        super().declare(provider, *ours)
        return self

    def object(self, kind: str, name: str, /, api_version: str = "v1", **fields: Any) -> dict[str, Any]:
        """A resource named after its object; `metadata` may add to it or take the name away."""
        group_version = f"core/{api_version}" if "/" not in api_version else api_version
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        options = fields.pop("options", {})
        kept = {key: item for key, item in metadata.items() if item is not None}
        props = {"apiVersion": api_version, "kind": kind.removesuffix("Patch"), "metadata": kept, **fields}
        return {"type": f"kubernetes:{group_version}:{kind}", "name": name, "props": props, "options": options}


@pytest.fixture
def stack(
    tmp_path: Path, pulumi_environment: dict[str, str], control_plane: ControlPlane, kube: Client, namespace: str
) -> Stack:
    stack = Stack(tmp_path / f"p-{uuid.uuid4().hex[:8]}", pulumi_environment)
    stack.namespace, stack.provider = namespace, {"kubeconfig": {"$secret": control_plane.kubeconfig}}
    return stack
