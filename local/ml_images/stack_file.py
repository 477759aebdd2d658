"""References of images in a stack's settings: `ml-platform:platform.images`, written so that all else stays as it is.

The text is edited where YAML's own parser says that a value stands, so comments, order and quoting are kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml
from ml_local.errors import LocalError
from ml_platform.configuration import PROJECT

PLATFORM = f"{PROJECT}:platform"


def block(references: Mapping[str, str]) -> str:
    """What belongs under `config:` of a stack file."""
    return yaml.safe_dump({PLATFORM: {"images": dict(sorted(references.items()))}}, width=1000).rstrip()


def check_writable(file: Path) -> None:
    """Refuses, before anything is built, a file that `write` could not write.

    Raises:
        LocalError: it is read-only.
    """
    target = file.resolve()
    if target.stat().st_mode & 0o222 and os.access(target, os.W_OK) and os.access(target.parent, os.W_OK):
        return
    raise LocalError(
        f"{file} is read-only, and the digests belong there. Make it writable, or leave STACK and CONFIG out: then the "
        f"block is printed that belongs under `config:` of that file:\n"
        f"  {PLATFORM}:\n    images:\n      <image>: <registry>/<image>@sha256:<digest>"
    )


def write(file: Path, references: Mapping[str, str]) -> None:
    """Put all references into the file at once, or none.

    Raises:
        LocalError: the file has changed into what can't be edited, or can't be written.
    """
    text = file.read_text()
    edited = with_images(text, references)
    if edited != text:
        _replace(file.resolve(), edited)


def with_images(text: str, references: Mapping[str, str]) -> str:
    """The text of a stack file in which `platform.images` has these references too.

    Raises:
        LocalError: it has no platform, or is written in a way that can't be edited.
    """
    if not references:
        return text
    node = yaml.compose(text, yaml.SafeLoader)
    platform = _value(_value(node, "config"), PLATFORM)
    if not isinstance(platform, yaml.MappingNode) or not platform.value:
        raise LocalError(f"the stack file has no `{PLATFORM}`: put this under its `config:`\n{block(references)}")
    images = _value(platform, "images")
    if images is None:
        edited = _inserted(text, platform, {"images": dict(references)})
    elif isinstance(images, yaml.MappingNode) and images.value:
        edited = _merged(text, images, references)
    else:
        edited = _filled(text, platform, references)
    wanted = yaml.safe_load(text)
    wanted["config"][PLATFORM]["images"] = {**(wanted["config"][PLATFORM].get("images") or {}), **references}
    if yaml.safe_load(edited) != wanted:
        raise LocalError(
            f"the stack file is written in a way that can't be edited: put this there\n{block(references)}"
        )
    return edited


def _merged(text: str, images: yaml.MappingNode, references: Mapping[str, str]) -> str:
    """New values in place of old ones, the last first so that places stay true; then what is new before all."""
    new = dict(references)
    for key, value in reversed(images.value):
        if key.value in new:
            start, end = value.start_mark.index, value.end_mark.index
            text = f"{text[:start]}{new.pop(key.value)}{text[end:]}"
    return _inserted(text, images, new) if new else text


def _filled(text: str, platform: yaml.MappingNode, references: Mapping[str, str]) -> str:
    """The first entries of an `images:` that has none."""
    key, value = next(pair for pair in platform.value if pair[0].value == "images")
    lines = yaml.safe_dump(dict(sorted(references.items())), width=1000).splitlines()
    block = "".join(f"\n{' ' * (key.start_mark.column + 2)}{line}" for line in lines)
    before = text[: value.start_mark.index].rstrip(" ")
    return f"{before}{f' {_flow(references)}' if platform.flow_style else block}{text[value.end_mark.index :]}"


def _inserted(text: str, mapping: yaml.MappingNode, entries: Mapping[str, Any]) -> str:
    """The entries before the first one of the mapping, in its own style and at its own depth."""
    first = mapping.value[0][0].start_mark
    if mapping.flow_style:
        return f"{text[: first.index]}{_flow(entries)[1:-1]}, {text[first.index :]}"
    lines = yaml.safe_dump(dict(entries), width=1000).splitlines()
    indented = "\n".join(" " * first.column * (number > 0) + line for number, line in enumerate(lines))
    return f"{text[: first.index]}{indented}\n{' ' * first.column}{text[first.index :]}"


def _flow(entries: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(entries), default_flow_style=True, width=100_000).strip()


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _replace(target: Path, text: str) -> None:
    try:
        with NamedTemporaryFile("w", dir=target.parent, prefix=f".{target.name}.", delete=False) as partial:
            partial.write(text)
        os.chmod(partial.name, target.stat().st_mode & 0o777)
        os.replace(partial.name, target)
    except OSError as refused:
        raise LocalError(f"{target} can't be written: {refused.strerror}. Nothing in it has changed") from refused
