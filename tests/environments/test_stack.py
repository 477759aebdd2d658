"""An ML team's own stack on the platform of somebody else's: it serves, it goes, and the other stack is untouched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from ml_platform.kube import Client
from support import inventory, login_registry, stacks
from support.somebody import Somebody

PLATFORM, TEAM = "existing", "team"


def test_a_team_serves_on_the_platform_of_another_stack_and_goes_without_a_trace(
    existing: Somebody, cluster: Client
) -> None:
    before = inventory.contents(cluster)
    existing.init(TEAM, blocks(existing.images(PLATFORM)))
    existing.set_secret(TEAM, "registry_login", json.dumps(login_registry.LOGIN))
    done = existing.up(TEAM)
    assert done.returncode == 0, done.stdout
    existing.assert_predicts(TEAM)
    existing.set(TEAM, "platform.serving.mode", "standard")
    refused = existing.run("pulumi", "preview", "--stack", TEAM, "--non-interactive")
    assert refused.returncode != 0
    assert "ml-platform:platform.serving.mode is 'standard', and the platform of stack organization/" in refused.stdout
    existing.set(TEAM, "platform.serving.mode", "knative")
    done = existing.destroy(TEAM)
    assert done.returncode == 0, done.stdout
    assert inventory.differences(cluster, before) == []
    same = existing.run("pulumi", "preview", "--stack", PLATFORM, "--non-interactive", "--expect-no-changes")
    assert same.returncode == 0, same.stdout


def blocks(images: Mapping[str, str]) -> dict[str, Any]:
    """The settings of stacks/Pulumi.team.yaml, with the images and the login of the platform."""
    config = yaml.safe_load(stacks.FILES[TEAM].read_text())["config"]
    found = {key.partition(":")[2]: block for key, block in config.items()}
    found["platform"]["images"] = {name: images[name] for name in ("mlserver", "training")}
    found["platform"]["registry_login"] = "given"
    return found
