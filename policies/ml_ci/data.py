"""New data: the place of a stack's data in the object store, written into the stack file as somebody would by hand.

Settings say what is learned from, so another place goes through review and approval like any other change. Other bytes
at the same place need none of this: a look finds them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ml_platform import yaml_text
from ml_platform.configuration import SettingsError, validate
from ml_workloads.settings import WorkloadsSettings

from ml_ci import changes
from ml_ci.errors import CiError

WORK = "ml-platform:workloads"


def edited(stack: str, name: str, uri: str, root: Path = changes.ROOT) -> str:
    """The text of the stack file in which the block `data.<name>` has that uri, all else as it is.

    Raises:
        CiError: there is no such block with data in the object store, or it can't have that uri, or its uri is written
            where another block has it from.
    """
    path = root / changes.own(stack)[0]
    text = path.read_text()
    found = yaml_text.load(text)
    work = found["config"].get(WORK) or {}
    stored = {block: each for block, each in (work.get("data") or {}).items() if _stored(each)}
    if name not in stored:
        raise CiError(
            f"{path.name} has no data {name!r} in the object store; it has {', '.join(sorted(stored)) or 'none'}"
        )
    wanted = json.loads(json.dumps(found))  # a copy in which blocks share nothing
    wanted["config"][WORK]["data"][name]["uri"] = uri
    try:
        validate("workloads", wanted["config"][WORK], WorkloadsSettings)
    except SettingsError as error:
        raise CiError(f"--uri {uri!r} does not do for data {name} of {path.name}: {error}") from error
    node = _at(yaml.compose(text, yaml.SafeLoader), "config", WORK, "data", name, "uri")
    new = f"{text[: node.start_mark.index]}{json.dumps(uri)}{text[node.end_mark.index :]}" if node else text
    if yaml_text.load(new) != wanted:
        raise CiError(
            f"data {name} of {path.name} have their uri from an anchor, which other blocks have as well: write it out"
        )
    return new


def _stored(block: Any) -> bool:
    return str((block or {}).get("uri")).startswith("s3://")


def _at(node: Any, *keys: str) -> Any:
    """What is written at that place itself; None where it comes from elsewhere."""
    for key in keys:
        node = next((value for name, value in node.value if name.value == key), None)
        if node is None:
            return None
    return node
