"""The stack files there are, and the whole program run on one of them against mocks."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import runpy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_platform.settings import PlatformSettings
from pulumi.runtime import mocks
from support import chosen, clouds, offers, recorder

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    **{path.stem.removeprefix("Pulumi."): path for path in (ROOT / "stacks").glob("Pulumi.*.yaml")},
    **{path.stem: path for path in (ROOT / "tests" / "stacks").glob("*.yaml")},
}
CLOUDS = ("ionos", "gke", "eks")
"""The platform of each is a stack of this name, on the cluster of stack <name>-cluster."""
LEAN = ("local", *(f"{cloud}-cluster" for cloud in CLOUDS))
"""Those that need no mirror."""
KUBECONFIG = {
    "clusters": [{"name": "test", "cluster": {"server": "https://test.invalid"}}],
    "users": [{"name": "test", "user": {"token": "secret"}}],
    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    "current-context": "test",
}


def settings(stack: str) -> PlatformSettings:
    return chosen.platform(**blocks(stack)["ml-platform:platform"])


def blocks(stack: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILES[stack].read_text())["config"]
    return found


def whole(cloud: str) -> dict[str, Any]:
    """The settings of one stack that has both: the cluster of stack <cloud>-cluster, and all else of stack <cloud>."""
    return {**blocks(cloud), "ml-platform:cluster": blocks(f"{cloud}-cluster")["ml-platform:cluster"]}


def record(
    stack: str,
    changes: Mapping[str, Any] | None = None,
    world: mocks.Mocks | None = None,
    secrets: Mapping[str, str] | None = None,
    *,
    config: Mapping[str, Any] | None = None,
) -> recorder.Recorder:
    """All that a first `pulumi up` asks the engine for, with `changes` of the platform's settings; a node is the one of
    ML_PLATFORM_STATE. The settings are those of the stack's file, or `config`. A stack that makes a cluster is recorded
    as the first preview of an empty account, unless its `world` is another one; one that is on the cluster of another
    stack, as it is when that one is up."""
    config = copy.deepcopy(dict(config or blocks(stack)))
    cluster, platform = config["ml-platform:cluster"], config.get("ml-platform:platform")
    source, secrets = cluster["source"], dict(secrets or {})
    if platform is not None:
        platform |= changes or {}
        if source != "local":
            shared = "source" in platform
            own = {"traefik", *chosen.own_images(), *(["tuning"] if source == "existing" else [])}
            platform.setdefault("images", images({"mlserver", "training"} if shared else own))
            secrets |= {} if shared else {"ml-platform:seed": "a seed"}
    if source in CLOUDS:
        cluster |= decided(source)
        world = world or recorder.NothingYet()
    if source == "stack":
        world = world or recorder.Outputs()
        assert isinstance(world, recorder.Outputs)
        found = _up(cluster["stack"].rpartition("/")[2], world)
        world.stacks = {cluster["stack"]: recorder.OtherStack(found.exports, found.secrets), **world.stacks}
    if source == "existing":
        cluster.pop("kubeconfig", None)
        secrets |= {"ml-platform:kubeconfig": json.dumps(KUBECONFIG)}
    return recorder.record(
        lambda: runpy.run_path(str(ROOT / "stacks" / "__main__.py")),
        stack=stack,
        config={**config, **secrets},
        secrets=secrets,
        world=world,
    )


def _up(stack: str, world: recorder.Outputs) -> recorder.Recorder:
    """The other stack as it is when it is up, in the same world where that is a cloud."""
    made = blocks(stack)["ml-platform:cluster"]["source"] in CLOUDS
    return record(stack, world=(world if isinstance(world, clouds.Cloud) else clouds.Cloud()) if made else None)


def decided(cloud: str) -> dict[str, Any]:
    """What the stack file of a cloud leaves to whoever decides."""
    scaler = images(["cluster-autoscaler"])["cluster-autoscaler"]
    of_eks = {
        "addons": offers.ADDONS, "node_releases": offers.NODE_RELEASES, "autoscaler": scaler,
        "dns_zones": ["Z0123456789ABC"],
    }  # fmt: skip
    return {"api_access": ["198.18.1.0/24"], **(of_eks if cloud == "eks" else {})}


def images(names: Iterable[str]) -> dict[str, str]:
    return {name: f"registry.test/{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}" for name in names}


def node(folder: Path) -> Path:
    """A state directory as the node leaves it, with all images that a stack for it may want."""
    platforms = {stack: blocks(stack).get("ml-platform:platform") for stack in FILES}
    own = [stack for stack, platform in platforms.items() if platform and "source" not in platform]
    names = {"monitor", "tuning"}.union(*(chosen.all_images(settings(stack)) for stack in own))
    files = {"kubeconfig": json.dumps(KUBECONFIG), "images": json.dumps(images(names)), "seed": "a seed\n"}
    for name, text in files.items():
        (folder / name).write_text(text)
    paths = {name: str(folder / name) for name in files}
    (folder / "cluster.json").write_text(json.dumps({**paths, "registry": "registry.test"}))
    return folder


def log_in(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """To all clouds, as far as they can see who don't ask them; nothing of this machine's own logins is left."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "IONOS_"))]:
        monkeypatch.delenv(name)
    credentials = {
        "IONOS_TOKEN": "token", "IONOS_S3_ACCESS_KEY": "key", "IONOS_S3_SECRET_KEY": "secret",
        "GOOGLE_APPLICATION_CREDENTIALS": "key.json", "AWS_PROFILE": "test",
    }  # fmt: skip
    for name, value in credentials.items():
        monkeypatch.setenv(name, value)
    commands = folder / "commands"
    commands.mkdir()
    for name in ("aws", "gke-gcloud-auth-plugin"):
        (commands / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{commands}{os.pathsep}{os.environ['PATH']}")
