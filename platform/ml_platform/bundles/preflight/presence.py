"""Which objects a cluster has. Only metadata is read, since a CRD can be a megabyte."""

from collections.abc import Sequence

from ml_platform.bundles.parallel import each
from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.owners import Metadata
from ml_platform.kube import Client


def present(client: Client, items: Sequence[Object]) -> list[tuple[Object, Metadata]]:
    """The items that the cluster has, each with its metadata there."""
    found = each(lambda item: client.metadata(item["apiVersion"], item["kind"], item["metadata"]["name"]), items)
    return [(item, metadata) for item, metadata in zip(items, found, strict=True) if metadata is not None]
