"""The steps of the pipeline that need neither settings nor Pulumi:
resolve -> verify -> render -> parse -> mend -> rules -> check.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_platform.bundles import cache, catalog
from ml_platform.bundles.catalog import Entry, Rule
from ml_platform.bundles.check import check_conversion_services, deduplicated
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.hooks import Omission, separate_hooks
from ml_platform.bundles.mend import mended, scopes, with_namespaces, without_scaled_replicas
from ml_platform.bundles.parse import Object
from ml_platform.bundles.rules import apply_rules
from ml_platform.bundles.source import REPOSITORY, resolve


@dataclass(frozen=True)
class Release:
    """The objects of a release before any transform, its namespace included."""

    objects: list[Object]
    left_out: list[Omission]
    """Objects that were left out without a rule, for the reader."""


def load(entry: Entry, mirror: Path | None = None, root: Path = REPOSITORY) -> list[Object]:
    """The objects of a bundle as released."""
    return read(entry, mirror, root).objects


def read(entry: Entry, mirror: Path | None = None, root: Path = REPOSITORY) -> Release:
    """The objects of a bundle as released, and those that were left out. Each call returns new objects.

    Raises:
        BundleError: a part can't be had or has another digest, or a rule or a check of the entry fails.
    """
    parts = [(part.namespace or entry.namespace, resolve(entry, part, mirror, root).text) for part in entry.parts]
    try:
        return _release(entry, [(namespace, cache.objects(text)) for namespace, text in parts])
    except BundleError as error:
        raise BundleError(f"Bundle {entry.title}: {error}") from error


def _release(entry: Entry, parts: Iterable[tuple[str, list[Object]]]) -> Release:
    corrected = [(namespace, mended(objects)) for namespace, objects in parts]
    kinds = scopes(item for _, objects in corrected for item in objects)
    objects = [item for namespace, items in corrected for item in with_namespaces(items, namespace, kinds)]
    objects, left_out = separate_hooks(objects, _rules(entry, keep=True))
    objects = deduplicated(apply_rules(objects, _rules(entry, keep=False)))
    check_conversion_services(objects, entry.namespace)
    return Release(_with_own_namespace(entry, without_scaled_replicas(objects)), left_out)


def _rules(entry: Entry, *, keep: bool) -> list[Rule]:
    return [rule for rule in entry.rules if (rule.action == "keep") is keep]


def _with_own_namespace(entry: Entry, objects: Sequence[Object]) -> list[Object]:
    """The objects, with a Namespace for the bundle if any of them is in it, and without Namespaces of required
    bundles."""
    required = {needed.namespace for needed in catalog.requirements(entry)}
    kept = [item for item in objects if item["kind"] != "Namespace" or item["metadata"]["name"] not in required]
    named = {item["metadata"]["name"] for item in kept if item["kind"] == "Namespace"}
    used = {item["metadata"].get("namespace") for item in kept}
    if entry.namespace in required | named or entry.namespace not in used:
        return kept
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": entry.namespace}}, *kept]
