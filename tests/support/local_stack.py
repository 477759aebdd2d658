"""The stack `local` as `make up` runs it, in a project of its own and on any cluster: its programs are data."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ml_local import environment, paths, stack
from ml_local.environment import STACK
from ml_local.errors import LocalError
from ml_local.node.layout import Layout
from ml_platform.clusters.local import OPTIONS
from ml_platform.kube import Client
from support.pulumi_project import GENERIC

LABELS = {"ml-platform/stack": STACK}
PROVIDER = {
    "clusterIdentifier": OPTIONS["cluster_identifier"],
    "upsertExistingObjects": "true",
    "enablePatchForce": "true",
    "enableConfigMapMutable": "true",
    "enableSecretMutable": "true",
}
Object = dict[str, Any]


class LocalStack:
    """A checkout that holds nothing but a generic program, and the state folder of a node that is somebody else's."""

    def __init__(self, folder: Path, kubeconfig: str, patch: pytest.MonkeyPatch) -> None:
        checkout, self.project, self.kubeconfig = paths.checkout(), folder / "checkout", kubeconfig
        self.layout = Layout(folder / "state")
        (self.project / "stacks").mkdir(parents=True)
        for code in ("local", "platform", "workloads", "policies"):
            (self.project / code).symlink_to(checkout / code)
        settings = "name: ml-platform\nruntime: python\nstackConfigDir: stacks\n"
        (self.project / "Pulumi.yaml").write_text(settings)
        (self.project / "stacks" / f"Pulumi.{STACK}.yaml").write_text("config: {}\n")
        (self.project / "__main__.py").write_text(GENERIC.read_text())
        for made in (self.layout.logs, self.layout.run):
            made.mkdir(parents=True)
        self.layout.admin_kubeconfig.write_text(kubeconfig)
        patch.setattr(paths, "checkout", lambda: self.project)

    def declare(self, objects: Sequence[Object]) -> None:
        """Each is a resource named as its object, or by its key `resource`; the other keys that are no fields of an
        object are its options."""
        props = {**PROVIDER, "kubeconfig": {"$secret": self.kubeconfig}}
        provider = {"type": "pulumi:providers:kubernetes", "name": "kubernetes", "props": props}
        self.project.joinpath("program.json").write_text(json.dumps([provider, *map(_resource, objects)]))

    def up(self, say: Callable[[str], None] = lambda _: None) -> None:
        """As `make up` does, without the node."""
        stack.prepare(self.layout)
        stack.up(self.layout, say)

    def killed_up(self, steps: int, delay: float) -> bool:
        """Kill the command `delay` seconds after it reported so many steps; whether it had not ended before."""
        count = 0

        def say(_: str) -> None:
            nonlocal count
            count += 1
            if count == steps:
                time.sleep(delay)
                _kill_command()

        try:
            self.up(say)
        except LocalError:
            return True
        return False

    def pulumi(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As after `eval "$(make env)"`."""
        process = self.start(*words)
        output, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, output)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """The same, going on while the test does."""
        known = environment.variables(self.layout)
        return subprocess.Popen(
            [shutil.which("pulumi", path=known["PATH"]) or "pulumi", *words, "--stack", STACK, "--non-interactive"],
            cwd=self.project,
            env={**os.environ, **known},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def wrong(client: Client, namespaces: Sequence[str], objects: Sequence[Object]) -> list[str]:
    """Where the cluster is not as these objects, and no others, say: lost, left over, or otherwise."""
    kinds = {(each["apiVersion"], each["kind"]) for each in objects} | KINDS
    there = {
        _key(found): found
        for api_version, kind in kinds
        for found in client.list(api_version, kind, labels="ml-platform/stack=local")
        if (found["metadata"].get("namespace") or found["metadata"]["name"]) in namespaces
        and not found["metadata"].get("ownerReferences")
    }
    declared = {_key(each): each for each in objects}
    lines = [f"left over: {key}" for key in there.keys() - declared.keys()]
    lines += [f"lost: {key}" for key in declared.keys() - there.keys()]
    return lines + [
        f"{key}: {problem}"
        for key in there.keys() & declared.keys()
        for problem in _differences(declared[key], there[key])
    ]


KINDS = {
    ("v1", "ConfigMap"),
    ("v1", "Namespace"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("batch/v1", "Job"),
}


def seed() -> int:
    """Of this run's random moments; ML_PLATFORM_SEED fixes it."""
    return int(os.environ.get("ML_PLATFORM_SEED") or random.randrange(10**6))


def _resource(item: Object) -> Object:
    item = dict(item)
    options = {key: item.pop(key) for key in ("depends_on", "deleted_with") if key in item}
    group = item["apiVersion"] if "/" in item["apiVersion"] else f"core/{item['apiVersion']}"
    name = item.pop("resource", item["metadata"]["name"])
    kind = f"kubernetes:{group}:{item['kind']}"
    return {"type": kind, "name": name, "props": item, "options": {"provider": "kubernetes", **options}}


def _key(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    return f"{item['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _differences(declared: Object, live: Object) -> list[str]:
    """Data are compared whole, and of all else what is declared."""
    found = [] if "deletionTimestamp" not in live["metadata"] else ["is being deleted"]
    if "data" in declared and declared["data"] != live.get("data"):
        found.append(f"data {declared['data']} -> {live.get('data')}")
    if "spec" in declared and not _contains(live["spec"], declared["spec"]):
        found.append(f"spec {declared['spec']} -> {live['spec']}")
    return found


def _contains(live: Any, declared: Any) -> bool:
    if isinstance(declared, Mapping):
        return isinstance(live, Mapping) and all(_contains(live.get(key), each) for key, each in declared.items())
    if isinstance(declared, list):
        return (
            isinstance(live, list)
            and len(live) == len(declared)
            and all(_contains(*both) for both in zip(live, declared, strict=True))
        )
    return bool(live == declared)


def _kill_command() -> None:
    """The `pulumi` that this process started, as `kill -9` does."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = status.read_text().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if name == "pulumi" and int(fields.split()[1]) == os.getpid():
            os.kill(int(status.parent.name), signal.SIGKILL)
