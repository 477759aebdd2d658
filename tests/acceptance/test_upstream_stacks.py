"""Every object that a stack file asks for, transformed and our own, before a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_platform import components
from ml_platform.bundles import definitions
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.parallel import each
from ml_platform.bundles.pipeline import load
from ml_platform.kube import Client
from support import mirrored, recorder, stacks
from support.control_plane import ControlPlane
from support.strict import refusal

pytestmark = pytest.mark.acceptance
STACKS = ("everything", "istio", "upstream")


@pytest.mark.parametrize("stack", STACKS)
def test_every_object_of_a_stack_is_accepted(
    stack: str, plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    requests = stacks.record(stack).requests.values()
    objects = [recorder.inputs(request) for request in requests if request.type.startswith("kubernetes:")]
    namespaces = [item for item in objects if item["kind"] == "Namespace"]
    # The values of secrets are not in a record.
    others = [item for item in objects if item["kind"] not in ("Namespace", "Secret")]
    assert len(others) > 80
    settings = stacks.settings(stack)
    bundles = components.needs(settings).installed(settings.bundles)
    own = [f"{entry.parts[0].name}-crds" for entry in bundles if entry.own_definitions]
    kinds = [*(item for entry in bundles for item in load(entry)), *mirrored.definitions_by(*own)]
    with plane.scratch() as client:
        for item in namespaces:
            client.apply(item, field_manager="test")
        named = [define(client, item) for item in kinds if item["kind"] == DEFINITION]
        definitions.await_established(client, named, stack)
        assert not list(filter(None, each(lambda item: refusal(client, item, dry_run=True), others)))


def define(client: Client, item: dict[str, Any]) -> str:
    client.apply(item, field_manager="test")
    return str(item["metadata"]["name"])
