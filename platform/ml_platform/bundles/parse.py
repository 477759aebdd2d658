"""From YAML text to Kubernetes objects that are ready to be declared.

It mends what no API server would miss: empty documents, nulls where a map belongs, status, namespaces on what has none
and none where one belongs. It drops nothing that has a meaning; that is for the rules of an entry.
"""

from collections.abc import Iterable
from typing import Any

import yaml

from ml_platform.bundles.errors import BundleError

Object = dict[str, Any]

_CLUSTER_SCOPED = frozenset({
    "APIService", "CSIDriver", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "IngressClass",
    "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace",
    "PersistentVolume", "PriorityClass", "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
})  # fmt: skip


class _Loader(yaml.CSafeLoader):
    """YAML without the tag of a bare `=`, which real manifests use as a plain string."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:value"]
    for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str, *, namespace: str) -> list[Object]:
    """Every object of `text`, in its order; namespaced ones without a namespace get `namespace`."""
    try:
        documents = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise BundleError(f"The rendering is not YAML: {error}") from error
    objects = [_tidy(item) for document in documents for item in _flatten(document)]
    cluster_scoped = _CLUSTER_SCOPED | set(_own_cluster_kinds(objects))
    for item in objects:
        if item["kind"] in cluster_scoped:
            item["metadata"].pop("namespace", None)
        else:
            item["metadata"].setdefault("namespace", namespace)
    return objects


def _flatten(document: Any) -> Iterable[Object]:
    if not document:
        return []
    if not isinstance(document, dict) or "kind" not in document or "apiVersion" not in document:
        raise BundleError(f"A document is no Kubernetes object: {str(document)[:80]!r}.")
    return document["items"] if document["kind"] == "List" else [document]


def _tidy(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if value is not None}
    if "name" not in metadata:
        raise BundleError(f"A {item['kind']} has no metadata.name (generateName can't be declared); drop it by a rule.")
    if item["kind"] == "CustomResourceDefinition":
        item = {key: value for key, value in item.items() if key != "status"}
    return {**item, "metadata": metadata}


def _own_cluster_kinds(objects: Iterable[Object]) -> Iterable[str]:
    return (
        item["spec"]["names"]["kind"]
        for item in objects
        if item["kind"] == "CustomResourceDefinition" and item["spec"]["scope"] == "Cluster"
    )
