"""Somebody with a kubeconfig and stacks of their own: a backend, a passphrase and stack files apart from this checkout.

What they share with the machine's owner are the commands and plugins, which anybody would install.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ml_local import engine, environment, image_builder, paths, toolchains
from ml_local.node.layout import layout
from support import gateway, machine
from support.flowers import FLOWERS
from support.machine import Done

BACKEND = "PULUMI_BACKEND_URL"
OWNERS = ("KUBECONFIG", "ML_PLATFORM_STATE", "PULUMI_CONFIG_PASSPHRASE_FILE")


class Somebody:
    """Works in `home`, which holds a copy of the project's stack program and nothing of the node's owner."""

    def __init__(self, home: Path) -> None:
        self.project = home / "project"
        (home / "backend").mkdir(parents=True)
        shutil.copytree(paths.checkout() / "stacks", self.project / "stacks", ignore=shutil.ignore_patterns("*.yaml"))
        shutil.copy(paths.checkout() / "Pulumi.yaml", self.project)
        known = {name: value for name, value in environment.variables(layout()).items() if name not in OWNERS}
        own = {"PULUMI_HOME": str(home / "pulumi"), BACKEND: f"file://{home / 'backend'}", "HOME": str(home)}
        self._environment = {**os.environ, **known, **own, "PULUMI_CONFIG_PASSPHRASE": "correct horse"}
        commands = toolchains.binary("pulumi").parent
        engine.install(commands, home / "pulumi", commands / engine.EXEC)

    def init(self, stack: str, blocks: Mapping[str, Any]) -> None:
        """A stack with these blocks of settings, and a seed as the pages say."""
        content = {"config": {f"ml-platform:{name}": block for name, block in blocks.items()}}
        (self.project / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(content))
        self.must("pulumi", "stack", "init", stack, "--no-select")
        self.set_secret(stack, "seed", "a long random text")

    def make_images(self, stack: str, registry: str, debian: str, environment: Mapping[str, str]) -> None:
        """`make images` for a stack, with the tool and the login of an environment."""
        file = self.project / "stacks" / f"Pulumi.{stack}.yaml"
        words = [f"REGISTRY={registry}", f"CONFIG={file}", f"BASE={debian}", "TOOL=buildah"]
        words.append(f"SECRETS=ca={image_builder.CERTIFICATES}")  # of whatever proxy is before this machine
        done = machine.make("images", *words, env=environment)
        assert done.returncode == 0, done.stdout

    def images(self, stack: str) -> dict[str, str]:
        """The references in the settings of a stack."""
        config = yaml.safe_load((self.project / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
        return dict(config["ml-platform:platform"]["images"])

    def set(self, stack: str, path: str, value: str) -> None:
        self.must("pulumi", "config", "set", "--stack", stack, "--path", f"ml-platform:{path}", value)

    def set_secret(self, stack: str, name: str, value: str) -> None:
        self.must("pulumi", "config", "set", "--stack", stack, "--secret", f"ml-platform:{name}", value)

    def remove(self, stack: str, path: str) -> None:
        self.must("pulumi", "config", "rm", "--stack", stack, "--path", f"ml-platform:{path}")

    def up(self, stack: str) -> Done:
        return self.run("pulumi", "up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive")

    def destroy(self, stack: str) -> Done:
        return self.run("pulumi", "destroy", "--stack", stack, "--yes", "--skip-preview", "--non-interactive")

    def outputs(self, stack: str) -> dict[str, Any]:
        return dict(json.loads(self.must("pulumi", "stack", "output", "--stack", stack, "--json").stdout))

    def assert_predicts(self, stack: str) -> None:
        """The iris model of the stack names the species of each flower."""
        url = self.outputs(stack)["prediction_urls"]["iris"]
        for species, flower in FLOWERS.items():
            answer = gateway.ask(url, body=gateway.rows(flower))
            assert answer.status == 200, answer.text
            assert species.lower().endswith(json.loads(answer.text)["outputs"][0]["data"][0])

    def must(self, *words: str) -> Done:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout
        return done

    def run(self, *words: str, timeout: float = 600) -> Done:
        return machine.run(words, timeout, self._environment, self.project)
