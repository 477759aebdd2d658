"""Helm's hooks: objects that Helm runs at a moment of its own choosing. Here there is no such moment.

All of them are left out and named, but those that a rule keeps: they become ordinary objects. What tests or deletes a
Helm release is never applied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.parse import Object, title
from ml_platform.bundles.rules import matches, unfit

ANNOTATION = "helm.sh/hook"


@dataclass(frozen=True)
class Omission:
    """An object that the pipeline leaves out by itself."""

    title: str
    why: str


def settle_hooks(objects: Iterable[Object], rules: Sequence[Rule]) -> tuple[list[Object], list[Omission]]:
    """The objects that stay, and the hooks that don't; `rules` are those to keep some."""
    stay, left_out, used = [], [], set()
    for item in objects:
        hook = _hook(item)
        keeping = [index for index, rule in enumerate(rules) if hook and matches(rule, item)]
        used.update(keeping)
        if keeping and _never(hook):
            raise unfit(rules[keeping[0]], f"would apply what runs at {hook}")
        if hook and not keeping:
            left_out.append(Omission(title(item), f"Helm hook {hook}"))
        else:
            stay.append(_plain(item) if hook else item)
    for index, rule in enumerate(rules):
        if index not in used:
            raise unfit(rule, "matches no hook")
    return stay, left_out


def _hook(item: Object) -> str:
    return str((item["metadata"].get("annotations") or {}).get(ANNOTATION, ""))


def _never(hook: str) -> bool:
    return any(moment.strip().startswith("test") or moment.strip().endswith("-delete") for moment in hook.split(","))


def _plain(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "annotations"}
    annotations = {
        key: value for key, value in item["metadata"]["annotations"].items() if not key.startswith(ANNOTATION)
    }
    return {**item, "metadata": {**metadata, "annotations": annotations} if annotations else metadata}
