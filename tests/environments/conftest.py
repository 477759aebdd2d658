"""The node is somebody's cluster: it has objects of its own, and a platform of our own machine is not on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_images.recipes import recipes
from ml_local import image_builder, images, stackfile
from ml_local.node import layout as names
from ml_local.node import node, pki
from ml_local.node.layout import layout
from ml_local.registry import Registry
from ml_platform.kube import Client
from support import inventory, login_registry, machine, shop
from support.somebody import Somebody

CONTEXT = "somebodys-cluster"
STACK = "existing"
DEBIAN = f"{login_registry.HOST}/debian:12"
BUILT = "training"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Client]:
    """Its administrator's client. It runs a shop, and has the images of this machine's platform in its registry."""
    assert machine.make("down").returncode == 0
    node.start(layout(), lambda _: None)
    tls = pki.client_context(layout().pki, "registry-client")
    images.push(stackfile.wanted(machine.STACK_FILE), names.REGISTRY, tls, lambda _: None)
    client = machine.client()
    inventory.settled(client)
    shop.open_on(client, machine.images()["training"])
    yield client
    assert machine.make("down").returncode == 0


@pytest.fixture(scope="session")
def before(cluster: Client) -> dict[str, Any]:
    """All objects of the cluster, before anybody installed a platform on it."""
    return inventory.contents(cluster)


@pytest.fixture(scope="session")
def home(cluster: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user's home, and their registry: an earlier `make images` has pushed all to it but the image of trainings."""
    found = tmp_path_factory.mktemp("somebody")
    tls = pki.client_context(layout().pki, "registry-client")
    wanted = stackfile.wanted(machine.STACK_FILE)
    for name, recipe in recipes(wanted, ["linux/amd64"], DEBIAN).items():
        digest = images.built_digest(name) if name in images.table() else None
        if digest and name != BUILT:
            Registry(names.REGISTRY, tls).push(f"ml/{name}", recipe.tag, digest, image_builder.cached().layout)
    with login_registry.running(found):
        yield found


@pytest.fixture(scope="session")
def user(before: dict[str, Any], home: Path) -> Somebody:
    """Has a kubeconfig with two contexts, of which the current one leads nowhere, and a stack with the settings of
    `local`, a node pool, a login to the registry, and images from `make images`."""
    somebody = Somebody(home)
    (home / "kubeconfig").write_text(
        yaml.safe_dump(_two_contexts(yaml.safe_load(layout().admin_kubeconfig.read_text())))
    )
    blocks = {
        key.partition(":")[2]: block
        for key, block in yaml.safe_load(machine.STACK_FILE.read_text())["config"].items()
        if key.startswith("ml-platform:")
    }
    reached = {"kubeconfig": str(home / "kubeconfig"), "context": CONTEXT}
    pools = {"linux": {"labels": {"kubernetes.io/os": "linux"}}}
    blocks["cluster"] = {"source": "existing", **reached, "data": "delete", "pools": pools}
    blocks["platform"]["registry_login"] = "given"
    for block in ("runs", "serving"):
        blocks["workloads"][block]["iris"]["pool"] = "linux"
    somebody.init(STACK, blocks)
    somebody.set_secret(STACK, "registry_login", json.dumps(login_registry.LOGIN))
    somebody.make_images(STACK, f"{login_registry.HOST}/ml", DEBIAN, login_registry.tool(home))
    return somebody


@pytest.fixture(scope="session")
def existing(user: Somebody) -> Somebody:
    """The user, whose stack is installed."""
    done = user.up(STACK)
    assert done.returncode == 0, done.stdout
    return user


def _two_contexts(kubeconfig: dict[str, Any]) -> dict[str, Any]:
    (only,) = kubeconfig["contexts"]
    nowhere = {"name": "nowhere", "cluster": {"server": "https://test.invalid"}}
    elsewhere = {"name": "elsewhere", "context": {"cluster": "nowhere", "user": only["context"]["user"]}}
    return {
        **kubeconfig,
        "clusters": [*kubeconfig["clusters"], nowhere],
        "contexts": [{**only, "name": CONTEXT}, elsewhere],
        "current-context": "elsewhere",
    }
