"""YAML is read as Kubernetes reads it."""

from typing import Any

import pytest
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import parse, title

pytestmark = pytest.mark.unit

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"


def names(text: str) -> list[str]:
    return [item["metadata"]["name"] for item in parse(text)]


def test_empty_documents_are_skipped() -> None:
    assert names("---\n# nothing\n---\n" + CONFIG + "---\n") == ["c"]


@pytest.mark.parametrize("kind", ["List", "PodList"])
@pytest.mark.parametrize("items", ["[{apiVersion: v1, kind: Pod, metadata: {name: a}}]", "", "[]"])
def test_a_list_is_its_items(kind: str, items: str) -> None:
    assert names(f"apiVersion: v1\nkind: {kind}\nitems: {items}\n") == (["a"] if "a" in items else [])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=", "="),
        ("2026-11-21", "2026-11-21"),
        ("2026-11-21T07:17:13Z", "2026-11-21T07:17:13Z"),
        ("8080:59", "8080:59"),
        ("1e+06", 1_000_000.0),
        ("0644", 0o644),
        ("-3", -3),
        ("1.5", 1.5),
        ("1.30.3", "1.30.3"),
        ("yes", True),
        ("~", None),
        ("'1'", "1"),
    ],
)
def test_a_value_is_what_kubernetes_takes_it_for(written: str, meant: Any) -> None:
    (item,) = parse(CONFIG + f"data: {{key: {written}}}\n")
    assert item["data"]["key"] == meant
    assert type(item["data"]["key"]) is type(meant)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("just: a map\n", "no Kubernetes object"),
        ("apiVersion: v1\nkind: List\nitems: [{just: a map}]\n", "no Kubernetes object"),
        ("apiVersion: v1\nkind: Pod\n", "Pod has no metadata"),
    ],
)
def test_what_is_no_object_is_refused(text: str, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"name": "a", "namespace": "n"}, "Job n/a"),
        ({"name": "a"}, "Job a"),
        ({"generateName": "a-"}, "Job a-"),
        ({}, "Job (no name)"),
    ],
)
def test_how_an_object_is_named(metadata: dict[str, str], named: str) -> None:
    assert title({"kind": "Job", "metadata": metadata}) == named
