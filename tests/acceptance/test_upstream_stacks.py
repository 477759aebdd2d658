"""Every object that a stack file asks for, transformed and our own, before a real API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_platform import selection
from ml_platform.bundles import definitions
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.parallel import each
from ml_platform.bundles.pipeline import load
from ml_platform.kube import Client, KubeError, NoMatch
from support import recorder, stacks
from support.control_plane import ControlPlane

pytestmark = pytest.mark.acceptance
STACKS = ("everything", "istio", "upstream")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


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
    kinds = [item for entry in selection.bundles(stacks.settings(stack)) for item in load(entry)]
    with plane.scratch() as client:
        for item in namespaces:
            client.apply(item, field_manager="test")
        named = [define(client, item) for item in kinds if item["kind"] == DEFINITION]
        definitions.await_established(client, named, stack)
        assert not list(filter(None, each(lambda item: refusal(client, item), others)))


def define(client: Client, item: dict[str, Any]) -> str:
    client.apply(item, field_manager="test")
    return str(item["metadata"]["name"])


def refusal(client: Client, item: dict[str, Any]) -> str | None:
    """What the API server has against an object, fields that its schema does not have included."""
    meta = item["metadata"]
    path = served(client, item).path(meta.get("namespace"), meta["name"])
    params = {"fieldManager": "test", "fieldValidation": "Strict", "dryRun": "All"}
    try:
        client.request(
            "PATCH", path, params=params, body=item, headers={"Content-Type": "application/apply-patch+yaml"}
        )
    except KubeError as error:
        return f"{item['kind']} {meta['name']}: {error.message}"
    return None


def served(client: Client, item: dict[str, Any]) -> Any:
    """The kind of an object; that of a CRD just established takes a moment to be announced."""
    end = time.monotonic() + 10
    while True:
        try:
            return client.resource(item["apiVersion"], item["kind"])
        except NoMatch:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
