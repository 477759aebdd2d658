"""Helm hooks: objects that Helm applies at a certain moment of a Helm release, such as after its installation.

The pipeline leaves hooks out and reports them. A rule of action `keep` makes a hook an ordinary object; hooks for the
test or the deletion of a Helm release can't be kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.parse import Object, title
from ml_platform.bundles.rules import matches, rule_error

ANNOTATION = "helm.sh/hook"


@dataclass(frozen=True)
class Omission:
    """An object that the pipeline leaves out by itself."""

    title: str
    why: str


def separate_hooks(objects: Iterable[Object], rules: Sequence[Rule]) -> tuple[list[Object], list[Omission]]:
    """The objects that stay, and the hooks that are left out; `rules` are the entry's rules of action `keep`.

    Raises:
        BundleError: a rule matches no hook, or one for the test or the deletion of a Helm release.
    """
    stay, left_out, used = [], [], set()
    for item in objects:
        hook = _hook(item)
        keeping = [index for index, rule in enumerate(rules) if hook and matches(rule, item)]
        used.update(keeping)
        if keeping and _tests_or_deletes(hook):
            raise rule_error(rules[keeping[0]], f"would apply what runs at {hook}")
        if hook and not keeping:
            left_out.append(Omission(title(item), f"Helm hook {hook}"))
        else:
            stay.append(_without_hook_annotations(item) if hook else item)
    for index, rule in enumerate(rules):
        if index not in used:
            raise rule_error(rule, "matches no hook")
    return stay, left_out


def _hook(item: Object) -> str:
    return str((item["metadata"].get("annotations") or {}).get(ANNOTATION, ""))


def _tests_or_deletes(hook: str) -> bool:
    return any(moment.strip().startswith("test") or moment.strip().endswith("-delete") for moment in hook.split(","))


def _without_hook_annotations(item: Object) -> Object:
    metadata = {key: value for key, value in item["metadata"].items() if key != "annotations"}
    annotations = {
        key: value for key, value in item["metadata"]["annotations"].items() if not key.startswith(ANNOTATION)
    }
    return {**item, "metadata": {**metadata, "annotations": annotations} if annotations else metadata}
