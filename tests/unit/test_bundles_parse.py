"""What parsing mends, and what it refuses."""

import pytest
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import parse

pytestmark = pytest.mark.unit

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%s}\n%s"


def names(text: str) -> list[str]:
    return [item["metadata"]["name"] for item in parse(text, namespace="home")]


def test_empty_documents_are_skipped() -> None:
    assert names("---\n# nothing\n---\n" + CONFIG % ("", "") + "---\n") == ["c"]


def test_a_list_is_its_items() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
    assert names(text) == ["a"]


def test_a_bare_equals_sign_is_a_string() -> None:
    (item,) = parse(CONFIG % ("", "data: {matchType: =}\n"), namespace="home")
    assert item["data"] == {"matchType": "="}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "home"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: other}}", "other"),
        ("{apiVersion: v1, kind: Namespace, metadata: {name: a}}", None),
        ("{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a, namespace: x}}", None),
    ],
)
def test_namespaces_are_where_they_belong(manifest: str, expected: str | None) -> None:
    (item,) = parse(manifest, namespace="home")
    assert item["metadata"].get("namespace") == expected


def test_a_cluster_scoped_kind_of_the_bundle_itself_loses_its_namespace() -> None:
    text = (
        "{apiVersion: x/v1, kind: Thing, metadata: {name: t, namespace: home}}\n---\n"
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.x},"
        " spec: {scope: Cluster, names: {kind: Thing}}, status: {conditions: []}}\n"
    )
    thing, definition = parse(text, namespace="home")
    assert "namespace" not in thing["metadata"]
    assert "status" not in definition, "a status can't be declared"


def test_nulls_in_metadata_are_dropped() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, creationTimestamp: null, annotations: null}\n"
    (item,) = parse(text, namespace="home")
    assert item["metadata"] == {"name": "a", "namespace": "home"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("just: a map\n", "no Kubernetes object"),
        ("{apiVersion: batch/v1, kind: Job, metadata: {generateName: j-}}", "generateName"),
    ],
)
def test_what_is_no_object_is_refused(text: str, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        parse(text, namespace="home")
