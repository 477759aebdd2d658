"""The pipeline as far as no settings and no Pulumi are involved: resolve, verify, render, parse, rules."""

from pathlib import Path

from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.parse import Object, parse
from ml_platform.bundles.rules import apply_rules
from ml_platform.bundles.source import REPOSITORY, render


def load(entry: Entry, mirror: Path | None = None, root: Path = REPOSITORY) -> list[Object]:
    """The objects of a bundle as released: before any transform, with a namespace of their own."""
    objects = [
        item
        for part in entry.parts
        for item in parse(render(part, mirror, root), namespace=part.namespace or entry.namespace)
    ]
    objects = apply_rules(objects, entry.rules)
    has_namespace = any(item["kind"] == "Namespace" and item["metadata"]["name"] == entry.namespace for item in objects)
    if not has_namespace:
        objects.insert(0, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": entry.namespace}})
    return objects
