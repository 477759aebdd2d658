"""The stages of the pipeline together: what one decides for the next."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from ml_platform.bundles import cache
from ml_platform.bundles.catalog import Entry, FileSource, Part, Rule
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object, title
from ml_platform.bundles.phases import Phase, by_phase
from ml_platform.bundles.pipeline import Release, read

pytestmark = pytest.mark.unit

CUSTOM = "apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: t, namespace: home}\n"
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.x.io, creationTimestamp: null}
spec: {group: x.io, scope: Cluster, names: {kind: Thing}}
status: {acceptedNames: {}}
"""
SCALED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec: {replicas: 2}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: d}
spec: {scaleTargetRef: {kind: Deployment, name: d}}
"""
HOOK = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n"
GENERATED = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: g-}\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "renderings"))


def release(folder: Path, *texts: str, rules: tuple[Rule, ...] = (), **part: Any) -> Release:
    parts = []
    for index, text in enumerate(texts):
        path = folder / f"{index}.yaml"
        path.write_text(text)
        source = FileSource(kind="file", path=str(path))
        digest = hashlib.sha256(text.encode()).hexdigest()
        parts.append(Part(name=f"part-{index}", version="1", sha256=digest, source=source, **part))
    return read(Entry(
        name="thing", version="1", licence="MIT", namespace="home", kubernetes=">=1.32,<1.38", parts=tuple(parts),
        rules=rules,
    ))  # fmt: skip


def find(objects: list[Object], kind: str) -> Object:
    (found,) = (item for item in objects if item["kind"] == kind)
    return found


def rule(action: Any, kind: str, **fields: Any) -> Rule:
    return Rule(action=action, kind=kind, why="a test", **fields)


def test_a_custom_resource_may_come_before_its_own_definition(tmp_path: Path) -> None:
    phases = by_phase(release(tmp_path, CUSTOM + "---\n" + DEFINITION).objects)
    order = [title(item) for phase in Phase for item in phases[phase]]
    assert order == ["CustomResourceDefinition things.x.io", "Thing t"]


def test_a_definition_decides_for_every_part_where_its_objects_live(tmp_path: Path) -> None:
    assert "namespace" not in find(release(tmp_path, CUSTOM, DEFINITION).objects, "Thing")["metadata"]
    assert find(release(tmp_path, CUSTOM).objects, "Thing")["metadata"]["namespace"] == "home"


def test_a_part_may_be_for_a_namespace_of_its_own(tmp_path: Path) -> None:
    objects = release(tmp_path, SCALED, namespace="elsewhere").objects
    assert find(objects, "Deployment")["metadata"]["namespace"] == "elsewhere"


def test_the_same_object_in_two_parts_is_there_once(tmp_path: Path) -> None:
    assert len(release(tmp_path, DEFINITION, DEFINITION).objects) == 1
    with pytest.raises(
        BundleError, match=r"Bundle thing 1: CustomResourceDefinition things.x.io is there twice.*scope"
    ):
        release(tmp_path, DEFINITION, DEFINITION.replace("Cluster", "Namespaced"))


def test_a_bundle_brings_its_namespace_if_anything_lives_there(tmp_path: Path) -> None:
    assert release(tmp_path, SCALED).objects[0]["kind"] == "Namespace"
    assert not [item for item in release(tmp_path, DEFINITION).objects if item["kind"] == "Namespace"]


def test_a_namespace_of_the_release_is_kept_as_it_is(tmp_path: Path) -> None:
    own = "apiVersion: v1\nkind: Namespace\nmetadata: {name: home, labels: {a: b}}\n"
    (found,) = release(tmp_path, own).objects
    assert found["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("rules", "replicas"), [((), None), ((rule("drop", "HorizontalPodAutoscaler", namespace="home"),), 2)]
)
def test_replicas_go_only_with_an_autoscaler_that_stays(rules: tuple[Rule, ...], replicas: Any, tmp_path: Path) -> None:
    deployment = find(release(tmp_path, SCALED, rules=rules).objects, "Deployment")
    assert deployment["spec"].get("replicas") == replicas


def test_a_kept_hook_goes_through_the_other_rules_too(tmp_path: Path) -> None:
    rules = (rule("set", "Job", path="spec.suspend", value=True), rule("keep", "Job", name="h"))
    found = release(tmp_path, HOOK, rules=rules)
    assert find(found.objects, "Job") == {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "h", "namespace": "home"},
        "spec": {"suspend": True},
    }  # fmt: skip
    assert not found.left_out
    assert [each.title for each in release(tmp_path, HOOK).left_out] == ["Job home/h"]


def test_an_object_with_a_generated_name_must_be_dropped_by_a_rule(tmp_path: Path) -> None:
    assert not release(tmp_path, GENERATED, rules=(rule("drop", "Job", name="g-"),)).objects
    with pytest.raises(BundleError, match="Bundle thing 1: Job home/g- has no name"):
        release(tmp_path, GENERATED)
