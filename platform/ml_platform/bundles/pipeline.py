"""The pipeline as far as no settings and no Pulumi are involved:
resolve -> verify -> render -> parse -> mend -> rules -> check.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_platform.bundles import cache, catalog
from ml_platform.bundles.catalog import Entry, Rule
from ml_platform.bundles.check import converted_at_home, once
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.hooks import Omission, settle_hooks
from ml_platform.bundles.mend import mended, scopes, with_namespaces, without_scaled_replicas
from ml_platform.bundles.parse import Object
from ml_platform.bundles.rules import apply_rules
from ml_platform.bundles.source import REPOSITORY, resolve


@dataclass(frozen=True)
class Release:
    """A bundle as released: before any transform, with its namespace."""

    objects: list[Object]
    left_out: list[Omission]
    """What was dropped without a rule, so that it can be named."""


def load(entry: Entry, mirror: Path | None = None, root: Path = REPOSITORY) -> list[Object]:
    """The objects of a bundle as released."""
    return read(entry, mirror, root).objects


def read(entry: Entry, mirror: Path | None = None, root: Path = REPOSITORY) -> Release:
    """The objects of a bundle as released, and what was left out. Each call gives objects of its own."""
    parts = [(part.namespace or entry.namespace, resolve(entry, part, mirror, root).text) for part in entry.parts]
    try:
        return _release(entry, [(namespace, cache.objects(text)) for namespace, text in parts])
    except BundleError as error:
        raise BundleError(f"Bundle {entry.title}: {error}") from error


def _release(entry: Entry, parts: Iterable[tuple[str, list[Object]]]) -> Release:
    tidy = [(namespace, mended(objects)) for namespace, objects in parts]
    kinds = scopes(item for _, objects in tidy for item in objects)
    objects = [item for namespace, items in tidy for item in with_namespaces(items, namespace, kinds)]
    objects, left_out = settle_hooks(objects, _rules(entry, keep=True))
    objects = once(apply_rules(objects, _rules(entry, keep=False)))
    converted_at_home(objects, entry.namespace)
    return Release(_at_home(entry, without_scaled_replicas(objects)), left_out)


def _rules(entry: Entry, *, keep: bool) -> list[Rule]:
    return [rule for rule in entry.rules if (rule.action == "keep") is keep]


def _at_home(entry: Entry, objects: Sequence[Object]) -> list[Object]:
    """With the bundle's own namespace if anything lives there, and without those that a bundle that it needs has."""
    taken = {needed.namespace for needed in catalog.requirements(entry)}
    found = [item for item in objects if item["kind"] != "Namespace" or item["metadata"]["name"] not in taken]
    named = {item["metadata"]["name"] for item in found if item["kind"] == "Namespace"}
    lived_in = {item["metadata"].get("namespace") for item in found}
    if entry.namespace in taken | named or entry.namespace not in lived_in:
        return found
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": entry.namespace}}, *found]
