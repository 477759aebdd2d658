"""Conflicts about the names of the stack's own namespaces and classes, on a cluster that others use as well."""

from collections.abc import Iterator, Mapping, Sequence

from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.distribution import nodes, recognised
from ml_platform.bundles.preflight.owners import by_owner, named, namesake, ours, owner
from ml_platform.bundles.preflight.presence import present
from ml_platform.kube import Client

TRAEFIK = ("IngressClass", "traefik")


def findings(client: Client, items: Sequence[Object], labels: Mapping[str, str], first: bool) -> Iterator[str]:
    """Findings about objects that somebody else owns. At the `first` check the stack has none, so that those with its
    labels belong to a namesake."""
    found = present(client, items)
    foreign = [(owner(metadata), item) for item, metadata in found if not ours(metadata, labels)]
    if first:
        foreign += [(namesake(labels), item) for item, metadata in found if ours(metadata, labels)]
    for who, held in by_owner(foreign):
        yield (
            f"The cluster has {named(held)} already, from {who}, and the stack makes what is called so itself. It "
            f"takes nothing over. {_way_out(client, held)}."
        )


def _way_out(client: Client, held: Sequence[Object]) -> str:
    if any((item["kind"], item["metadata"]["name"]) == TRAEFIK for item in held):
        distribution = recognised(nodes(client))
        if distribution and distribution.without_traefik:
            return distribution.without_traefik
    return "Give the cluster's own another name, delete it if nobody needs it, or use a cluster without it"
