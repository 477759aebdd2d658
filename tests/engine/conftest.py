"""One control plane and one set of plugins for all engine tests; a namespace and a project for each.

In `make test-all` the official Kubernetes plugin does the same: the one that is installed, else the one that its Go
module gives. What it does otherwise a test says by the mark `differs`.
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
from ml_local import engine, lock, toolchains
from ml_platform.kube import Client
from pulumi_project import Project, environment

OURS, OFFICIAL = "ours", "official"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stand_in: what our plugin does beyond the official one's documentation")
    config.addinivalue_line("markers", "differs(how, sometimes): what the official plugin does otherwise")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    by_official = [item for item in items if isinstance(item, pytest.Function) and _plugin_of(item) == OFFICIAL]
    beyond = [item for item in by_official if item.get_closest_marker("stand_in")]
    config.hook.pytest_deselected(items=beyond)
    items[:] = [item for item in items if item not in beyond]
    for item in by_official:
        if differs := item.get_closest_marker("differs"):
            always = not differs.kwargs.get("sometimes")
            item.add_marker(pytest.mark.xfail(reason=differs.args[0], strict=always))


def _plugin_of(item: pytest.Function) -> str | None:
    return item.callspec.params.get("plugin") if hasattr(item, "callspec") else None


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
    return _installed(tmp_path_factory.mktemp("pulumi"))


@pytest.fixture(scope="session", params=[OURS, pytest.param(OFFICIAL, marks=pytest.mark.long)])
def plugin(
    request: pytest.FixtureRequest, pulumi_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The same with the Kubernetes plugin that is judged."""
    if request.param == OURS:
        return pulumi_environment
    root = tmp_path_factory.mktemp("official")
    shutil.copytree(_official(), root / "home" / "plugins" / engine.KUBERNETES)  # a link to it is not looked into
    return _installed(root)


def _official() -> Path:
    """The folder of the official plugin."""
    (built,) = (each for each in toolchains.toolchains() if each.name == "pulumi-kubernetes")
    installed = Path.home() / ".pulumi" / "plugins" / engine.KUBERNETES
    if installed.exists():
        return installed
    with lock.building("the tests"):
        toolchains.build(built)
    return built.folder / "bin"


def _installed(root: Path) -> dict[str, str]:
    commands, home = root / "bin", root / "home"
    commands.mkdir()
    built = toolchains.binary("pulumi")
    try:
        os.link(built, commands / "pulumi")
    except OSError:
        shutil.copy2(built, commands / "pulumi")
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
def stack(tmp_path: Path, plugin: dict[str, str], control_plane: ControlPlane, kube: Client, namespace: str) -> Stack:
    stack = Stack(tmp_path / f"p-{uuid.uuid4().hex[:8]}", plugin)
    stack.namespace, stack.provider = namespace, {"kubeconfig": {"$secret": control_plane.kubeconfig}}
    return stack
