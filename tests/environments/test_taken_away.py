"""The end of a stack on somebody's cluster, after all other modules of this tier: what was there is untouched."""

from __future__ import annotations

from typing import Any

from ml_platform.kube import Client
from support import inventory, machine
from support.somebody import Somebody

STACK = "existing"
OURS = f"ml-platform/stack={STACK}"


def test_only_kinds_stay_and_go_with_one_command_and_what_was_there_before_is_as_it_was(
    existing: Somebody, cluster: Client, before: dict[str, Any]
) -> None:
    done = existing.destroy(STACK)
    assert done.returncode == 0, done.stdout
    kept = {item["metadata"]["name"] for item in inventory.definitions(cluster, OURS)}
    assert "inferenceservices.serving.kserve.io" in kept
    assert machine.tool("kubectl", "delete", "crd", "-l", OURS).returncode == 0
    assert inventory.differences(cluster, before) == []
