"""A secret that is another one reaches every server that read it at its start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import mocks
from support import clouds, recorder, stacks

READS = ("secretKeyRef", "secretRef", "secretName")
SERVERS = ("Deployment", "StatefulSet", "DaemonSet")
GIVEN = {"source": "given", "endpoint": "https://s3.example.com", "access_key": "ML"}
OF_CLOUDS = {"ionos": ("ionoscloud:compute/s3Key:S3Key", "secretKey"), "gke": ("gcp:storage/hmacKey:HmacKey", "secret")}


class Rotated(clouds.Cloud):
    """Its keys are others than those of clouds.Cloud."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        name, state = super().new_resource(args)
        return name, {**state, **{key: "rotated" for kind, key in OF_CLOUDS.values() if kind == args.typ}}


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ML_PLATFORM_STATE", str(stacks.node(tmp_path)))
    stacks.log_in(monkeypatch, tmp_path)
    return tmp_path


def readers(found: recorder.Recorder) -> dict[str, Any]:
    """The pod templates of all servers of ours whose pods read a Secret."""
    return dict(_readers(found))


def _readers(found: recorder.Recorder) -> Iterator[tuple[str, Any]]:
    for request in found.requests.values():
        manifest = recorder.inputs(request)
        if manifest.get("kind") in SERVERS and "bundles:Bundle" not in request.parent:
            template = manifest["spec"]["template"]
            if any(word in json.dumps(template) for word in READS):
                yield f"{manifest['kind']} {request.name}", template


def changed(one: recorder.Recorder, other: recorder.Recorder) -> set[str]:
    before, after = readers(one), readers(other)
    assert before.keys() == after.keys()
    return {name for name, template in after.items() if template != before[name]}


def test_another_seed_starts_every_server_anew_that_reads_a_secret(node: Path) -> None:
    before = stacks.record("local")
    (node / "seed").write_text("another seed")
    after = stacks.record("local")
    assert changed(before, after) == set(readers(after)) >= {"Deployment mlflow", "StatefulSet s3"}


@pytest.mark.parametrize(("key", "restarted"), [("one", set()), ("two", {"Deployment mlflow"})])
def test_another_key_of_a_given_store_starts_who_reads_it_anew(key: str, restarted: set[str]) -> None:
    first, second = (
        stacks.record("local", {"object_store": GIVEN}, secrets={"ml-platform:object_store_key": each})
        for each in ("one", key)
    )
    assert changed(first, second) == restarted


@pytest.mark.mirror
@pytest.mark.parametrize("cloud", sorted(OF_CLOUDS))
def test_another_key_of_a_clouds_store_starts_who_reads_it_anew(cloud: str) -> None:
    before, after = (stacks.record(cloud, world=world) for world in (clouds.Cloud(), Rotated()))
    assert changed(before, after) == {"Deployment mlflow"}


def test_what_is_shown_on_pods_is_no_secret() -> None:
    for name, template in readers(stacks.record("local")).items():
        assert len(template["metadata"]["annotations"]["ml-platform/restarted-by"]) == 8, name
