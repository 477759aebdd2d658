"""The images that a bundle uses: for mirroring them, and for knowing what runs.

References are found in pods, args, env, JSON and YAML in strings, templates, custom resources and annotations. The
references that a controller composes at run time are in no object; the entry's `runtime_images` has them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import yaml

from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.kinds import DEFINITION, built_in
from ml_platform.bundles.parse import Object, title

_NAME = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_TAG = r":[A-Za-z0-9_][\w.-]{0,127}"
_DIGEST = r"@sha256:[0-9a-f]{64}"
_VERSION = rf"(?:{_TAG})?(?:{_DIGEST})?"
_REFERENCE = re.compile(rf"^(?:[\w.-]+(?::\d+)?/)?{_NAME}(?:/{_NAME})*{_VERSION}$")
_INSIDE = re.compile(  # a longer text: a registry's host and a version or digest mark a reference
    rf"(?<![\w./@-])(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::\d+)?(?:/{_NAME})+(?:{_TAG}(?:{_DIGEST})?|{_DIGEST})"
)
_IN_TEMPLATE = re.compile(rf"\bimage:\s*[\"']?((?:[\w.-]+/)*{_NAME}{_VERSION})[\"']?\s*$", re.MULTILINE)
_POD = re.compile(r"ontainers\.\d+\.image$")
_FIELD = re.compile(r"image(_v\d+)?$", re.IGNORECASE)
_EXAMPLE = "_example"  # Knative's key for a ConfigMap's documentation
_NO_IMAGES = frozenset({"", "auto"})  # `auto`: Istio's injector fills it in


@dataclass(frozen=True, order=True)
class Use:
    """One image at one place of a bundle."""

    image: str
    bundle: str
    at: str
    by: Literal["pod", "text", "controller"]
    """Its user: a pod of the release, the reader of a text that names it, or a controller, when `at` says."""


def uses(entry: Entry, objects: Iterable[Object]) -> list[Use]:
    """Every use of an image in a release."""
    named = [
        Use(image, entry.title, f"{title(item)}: {path}", "pod" if _POD.search(path) and built_in(item) else "text")
        for item in objects
        for path, image in in_object(item)
    ]
    return named + [Use(each.image, entry.title, each.why, "controller") for each in entry.runtime_images]


def summary(found: Iterable[Use]) -> list[dict[str, Any]]:
    """One row for each image: the bundles that use it and where, whether only at run time, and whether its reference is
    pinned."""
    rows = []
    for image, group in groupby(sorted(found), key=lambda use: use.image):
        each = list(group)
        users = {use.by for use in each}
        rows.append({
            "image": image,
            "bundles": sorted({use.bundle for use in each}),
            "run_time_only": "pod" not in users,
            "pinned": pinned(image),
            "at": [use.at for use in each if use.by != "controller"],
            "why": [use.at for use in each if use.by == "controller"],
        })  # fmt: skip
    return rows


def pinned(image: str) -> bool:
    """Whether a reference has a digest, or a tag other than `latest`."""
    return "@sha256:" in image or _tag(image) not in ("", "latest")


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2]


def in_object(item: Object) -> Iterable[tuple[str, str]]:
    """Pairs of path and image for all images that `item` names. A CRD has none: its schema holds examples only."""
    return _walk(item, "", {}) if item["kind"] != DEFINITION else ()


def _walk(value: Any, path: str, hub_and_tag: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of path and image below `value`. `hub_and_tag` are the ones that the values of a chart set for all images
    below."""
    if isinstance(value, Mapping):
        hub_and_tag = {**hub_and_tag, **_hub_and_tag(value.get("global")), **_hub_and_tag(value)}
        variable = str(value.get("name", "")) if isinstance(value.get("value"), str) else ""
        for key, child in value.items():
            if key == "image" and isinstance(child, str):
                child = _full_reference(child, value, hub_and_tag)
            below = f"{path}.{variable if variable and key == 'value' else key}".lstrip(".")
            yield from _walk(child, below, hub_and_tag) if key != _EXAMPLE else ()
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}.{index}", hub_and_tag)
    elif isinstance(value, str):
        yield from ((path, image) for image in _in_text(value, path))


def _hub_and_tag(value: Any) -> Mapping[str, str]:
    if isinstance(value, Mapping) and value.get("hub") and value.get("tag"):
        return {"hub": str(value["hub"]), "tag": str(value["tag"])}
    return {}


def _full_reference(image: str, beside: Mapping[str, Any], hub_and_tag: Mapping[str, str]) -> str:
    """The full reference of an image whose hub and tag are set above it, or whose version is a field beside it."""
    version = beside.get("version") or beside.get("defaultImageVersion")
    if hub_and_tag and "/" not in image and image not in _NO_IMAGES:
        return f"{hub_and_tag['hub']}/{image}:{hub_and_tag['tag']}"
    return f"{image}:{version}" if isinstance(version, str) and "/" in image and not _tag(image) else image


def _in_text(text: str, path: str) -> Iterator[str]:
    if _FIELD.search(path) and _REFERENCE.match(text):
        if text not in _NO_IMAGES:
            yield text
        return
    inner = _parsed(text)
    if inner is not None:
        yield from (image for _, image in _walk(inner, "", {}))
    else:
        yield from _INSIDE.findall(text)
        yield from (image for image in _IN_TEMPLATE.findall(text) if image not in _NO_IMAGES)


def _parsed(text: str) -> Any:
    """The documents of a JSON or YAML text; None if the text has no list or map."""
    if not text.lstrip().startswith(("{", "[")) and "\n" not in text:
        return None
    try:
        documents = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except (ValueError, yaml.YAMLError):
        return None
    return documents if any(isinstance(document, dict | list) for document in documents) else None
