"""The stack files there are, and the whole program run on one of them against mocks."""

from __future__ import annotations

import hashlib
import json
import os
import runpy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_platform.clusters.cluster import AUTOSCALER
from ml_platform.settings import PlatformSettings
from pulumi.runtime import mocks
from support import chosen, offers, recorder

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    **{path.stem.removeprefix("Pulumi."): path for path in (ROOT / "stacks").glob("Pulumi.*.yaml")},
    **{path.stem: path for path in (ROOT / "tests" / "stacks").glob("*.yaml")},
}
LEAN = ("local",)
"""Those that need no mirror."""
CLOUDS = ("ionos", "gke", "eks")
"""Those whose cluster the stack makes; they are recorded as the first preview of an empty account."""
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


def record(
    stack: str,
    changes: Mapping[str, Any] | None = None,
    world: mocks.Mocks | None = None,
    secrets: Mapping[str, str] | None = None,
) -> recorder.Recorder:
    """All that a first `pulumi up` asks the engine for, with `changes` of the platform's settings; a node is the one of
    ML_PLATFORM_STATE. In a cloud it is a first preview, unless its `world` is another one."""
    config = blocks(stack)
    config["ml-platform:platform"] |= changes or {}
    secrets = dict(secrets or {})
    if config["ml-platform:cluster"]["source"] in CLOUDS:
        scaler = {AUTOSCALER} if config["ml-platform:cluster"]["source"] == "eks" else set()
        config["ml-platform:platform"].setdefault("images", images({"traefik", *scaler, *chosen.own_images()}))
        config["ml-platform:cluster"] |= decided(config["ml-platform:cluster"]["source"])
        secrets |= {"ml-platform:seed": "a seed"}
        world = world or recorder.NothingYet()
    if config["ml-platform:cluster"]["source"] == "stack":
        other = config["ml-platform:cluster"]["stack"]
        config["ml-platform:platform"].setdefault("images", images({"mlserver", "training"}))
        world = world or recorder.Outputs()
        assert isinstance(world, recorder.Outputs)
        found = record(other.rpartition("/")[2])
        world.stacks = {other: recorder.OtherStack(found.exports, found.secrets)}
    if config["ml-platform:cluster"]["source"] == "existing":
        config["ml-platform:cluster"].pop("kubeconfig", None)
        config["ml-platform:platform"].setdefault("images", images({"traefik", "tuning", *chosen.own_images()}))
        secrets |= {"ml-platform:seed": "a seed", "ml-platform:kubeconfig": json.dumps(KUBECONFIG)}
    return recorder.record(
        lambda: runpy.run_path(str(ROOT / "stacks" / "__main__.py")),
        stack=stack,
        config={**config, **secrets},
        secrets=secrets,
        world=world,
    )


def decided(cloud: str) -> dict[str, Any]:
    """What the stack file of a cloud leaves to whoever decides."""
    of_eks = {"addons": offers.ADDONS, "node_releases": offers.NODE_RELEASES, "dns_zones": ["Z0123456789ABC"]}
    return {"api_access": ["198.18.1.0/24"], **(of_eks if cloud == "eks" else {})}


def images(names: Iterable[str]) -> dict[str, str]:
    return {name: f"registry.test/{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}" for name in names}


def node(folder: Path) -> Path:
    """A state directory as the node leaves it, with all images that a stack for it may want."""
    own = [stack for stack in FILES if "source" not in blocks(stack)["ml-platform:platform"]]
    names = {"tuning"}.union(*(chosen.all_images(settings(stack)) for stack in own))
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
