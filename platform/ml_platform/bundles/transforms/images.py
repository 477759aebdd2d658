"""The transform that replaces the images of a release.

A reference is replaced wherever it stands as a whole word: in pods, arguments, environment, annotations, custom
resources, and in the JSON, YAML and templates that ConfigMaps hold as text. A reference that
a release splits into fields (hub, image and tag, or image and version) is replaced where they are in one JSON object.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Transform, derived

_CONTAINERS = frozenset({"container", "containers", "initContainers", "ephemeralContainers"})
_LETTER = r"[\w./:@-]"  # a character of references: beside a match it makes a longer reference


def image_map(
    known: Mapping[str, str],
    images: Mapping[str, pulumi.Input[str]],
    registry: str | None = None,
    others: Iterable[str] = (),
) -> Transform:
    """Replaces references: `known` maps our short names to those of the release, `images` maps the same names to ours.
    With a `registry`, an image of `known` without an entry in `images`, those of `others` and every other image of a
    container become <registry>/<their own reference>.

    Raises:
        BundleError: `images` has no entry for an image of a lean release.
    """
    missing = sorted(name for name, reference in known.items() if name == reference and name not in images)
    if missing:
        settings = ", ".join(f"ml-platform:platform.images.{name}" for name in missing)
        raise BundleError(f"A lean release runs {', '.join(missing)}, and no reference by digest is in {settings}.")
    references = (*known.values(), *others) if registry else ()
    table: dict[str, pulumi.Input[str]] = {reference: f"{registry}/{reference}" for reference in references}
    table |= {reference: images[name] for name, reference in known.items() if name in images}
    return _Mapping(table, registry, _pattern(table)).map


def _pattern(table: Mapping[str, Any]) -> re.Pattern[str]:
    """Matches full references as whole words. A bare name is replaced only as the value of an image field."""
    full = sorted((reference for reference in table if set("/:@") & set(reference)), key=len, reverse=True)
    return re.compile(f"(?<!{_LETTER})(?:{'|'.join(map(re.escape, full)) or '(?!)'})(?!{_LETTER})")


@dataclass(frozen=True)
class _Mapping:
    table: Mapping[str, pulumi.Input[str]]
    registry: str | None
    pattern: re.Pattern[str]

    def map(self, value: Object) -> Object:
        return {key: self._value(child, key) for key, child in self._with_split_references(value).items()}

    def _value(self, value: Any, key: str) -> Any:
        if isinstance(value, dict):
            mapped = self.map(value)
            return self._mirrored(mapped, value.get("image")) if key in _CONTAINERS else mapped
        if isinstance(value, list):
            return [self._value(child, key) for child in value]
        return self._text(value, key) if isinstance(value, str) else value

    def _mirrored(self, container: Object, image: Any) -> Object:
        """The container, with the registry before its image if the table has no reference for that."""
        unmapped = self.registry and image and container["image"] == image
        if not unmapped or image == "auto" or "{{" in image or image.startswith(f"{self.registry}/"):
            return container
        return {**container, "image": f"{self.registry}/{image}"}

    def _text(self, text: str, key: str) -> Any:
        if key.lower().endswith("image") and text in self.table:
            return self.table[text]
        if text.startswith("{") and (value := _json_object(text)):
            mapped = self.map(value)
            return text if mapped == value else derived(json.dumps, mapped)
        if not any(reference in text for reference in self.table):
            return text
        pieces: list[Any] = []
        end = 0
        for match in self.pattern.finditer(text):
            pieces += [text[end : match.start()], self.table[match[0]]]
            end = match.end()
        return derived("".join, [*pieces, text[end:]])

    def _with_split_references(self, value: Object) -> Object:
        """Replaces references that are split into fields: `image` with a version beside it, or `image` below `hub` and
        `tag`, which may be in `global`."""
        for pieces in (value, value.get("global")):
            if isinstance(pieces, dict) and pieces.get("hub") and pieces.get("tag"):
                mapped: Object = self._below_hub(value, f"{pieces['hub']}/", f":{pieces['tag']}")
                return mapped
        versions = (key for key in value if key.lower().endswith("version")) if "image" in value else ()
        for key in versions:
            whole = self.table.get(f"{value['image']}:{value[key]}")
            if whole is not None:
                return {**value, "image": derived(_repository, whole), key: derived(_version, whole)}
        return value

    def _below_hub(self, value: Any, hub: str, tag: str) -> Any:
        if not isinstance(value, dict):
            return value
        below = {key: self._below_hub(child, hub, tag) for key, child in value.items()}
        whole = self.table.get(f"{hub}{value.get('image')}{tag}")
        return below if whole is None else {**below, "image": whole}


def _repository(reference: str) -> str:
    return _split(reference)[0]


def _version(reference: str) -> str:
    return _split(reference)[1]


def _split(reference: str) -> tuple[str, str]:
    repository, colon, version = reference.rpartition(":")
    return (repository, version) if colon and "/" not in version else (reference, "latest")


def _json_object(text: str) -> Object | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
