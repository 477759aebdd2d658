"""Releases and a cluster: supported versions, and the owners of CRDs, webhook configurations and namespaces."""

from collections.abc import Iterator, Mapping, Sequence

from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.owners import by_owner, named, namesake, ours, owner
from ml_platform.bundles.preflight.presence import present
from ml_platform.kube import Client

SETTINGS = "ml-platform:platform.bundles"
CLUSTER_WIDE = (DEFINITION, "MutatingWebhookConfiguration", "Namespace", "ValidatingWebhookConfiguration")


def unsupported_version(entry: Entry, server: str) -> Iterator[str]:
    """A finding if the release does not support the cluster's version."""
    if entry.supports(server):
        return
    yield (
        f"{entry.title} supports Kubernetes {entry.kubernetes}, and this cluster has {server}. The nearest choice that "
        f"works here, in ml-platform:platform: {catalog.nearest(entry, server)}."
    )


def still_deleting(client: Client, entry: Entry, objects: Sequence[Object]) -> Iterator[str]:
    """Findings about objects that are still being deleted: a create would fail, or its object soon vanish."""
    kinds = ("Namespace", DEFINITION)
    for item, found in present(client, [item for item in objects if item["kind"] in kinds]):
        if "deletionTimestamp" in found:
            name = item["metadata"]["name"]
            yield (
                f"{entry.title}: {item['kind']} {name} is still being deleted. Wait until it is gone; "
                f"kubectl get {item['kind'].lower()} {name} -o yaml says what it waits for."
            )


def held_by_others(
    client: Client, entry: Entry, objects: Sequence[Object], labels: Mapping[str, str], count: int, first: bool
) -> Iterator[str]:
    """Findings about objects that somebody else owns; `count` bundles are in the setting `existing` already."""
    items = [item for item in objects if item["kind"] in CLUSTER_WIDE]
    foreign = [
        (owner(found) if not ours(found, labels) else namesake(labels), item)
        for item, found in present(client, items)
        if not ours(found, labels) or (first and item["kind"] != DEFINITION)  # CRDs may outlive their stack
    ]
    foreign += _held_by_an_operator(client, entry, objects, labels)
    for who, held in by_owner(foreign):
        take = (
            f"label them {','.join(f'{key}={value}' for key, value in labels.items())}, and the stack takes them over"
        )
        applied = all(item["kind"] == DEFINITION for item in held)
        yield (
            f"{entry.title}: the cluster has {named(held)} already, from {who}. "
            f"If somebody else runs {entry.name} here, say so: "
            f"pulumi config set --path '{SETTINGS}.existing[{count}]' {entry.name}. "
            f"If nobody does any more, {take if applied else 'delete them'}."
        )


def not_installed(client: Client, entry: Entry, objects: Sequence[Object]) -> Iterator[str]:
    """A finding if the cluster has no CRD of a bundle that somebody else should run."""
    definitions = [item for item in objects if item["kind"] == DEFINITION]
    definitions += [_definition(name) for name in entry.own_definitions]
    if definitions and not present(client, definitions):
        yield (
            f"{SETTINGS}.existing says that somebody else runs {entry.name} on this cluster, but it has none of its "
            f"kinds, such as {definitions[0]['metadata']['name']}. Take it out of the list, or install it first."
        )


def _held_by_an_operator(
    client: Client, entry: Entry, objects: Sequence[Object], labels: Mapping[str, str]
) -> list[tuple[str, Object]]:
    """The CRDs that an operator applies itself, with their owner: they have no labels, so its namespace names it."""
    definitions = [_definition(name) for name in entry.own_definitions]
    all_namespaces = [item for item in objects if item["kind"] == "Namespace"]
    namespaces = [item for item in all_namespaces if item["metadata"]["name"] == entry.namespace]
    for _, namespace in present(client, namespaces):
        if not ours(namespace, labels):
            who = f"namespace {entry.namespace}, {owner(namespace)}"
            return [(who, item) for item, _ in present(client, definitions)]
    return []


def _definition(name: str) -> Object:
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": DEFINITION, "metadata": {"name": name}}
