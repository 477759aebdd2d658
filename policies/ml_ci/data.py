"""New data: the key of a stack's dataset, written into the stack file as somebody would by hand.

An uploaded dataset is named by its key, so that runs know of other data; settings say what is trained on, so the new
key goes through review and approval like any other change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ml_platform.configuration import SettingsError, validate
from ml_workloads.settings import WorkloadsSettings

from ml_ci import changes
from ml_ci.errors import CiError

WORK = "ml-platform:workloads"


def edited(stack: str, dataset: str, key: str, root: Path = changes.ROOT) -> str:
    """The text of the stack file with that key, all else as it is.

    Raises:
        CiError: there is no such uploaded dataset, or it can't have that key.
    """
    path = root / changes.own(stack)[0]
    text = path.read_text()
    work = yaml.safe_load(text)["config"].get(WORK) or {}
    datasets = work.get("datasets") or {}
    uploaded = sorted(name for name, each in datasets.items() if each["source"] == "uploaded")
    if dataset not in uploaded:
        raise CiError(f"{path.name} has no uploaded dataset {dataset!r}; it has {', '.join(uploaded) or 'none'}")
    datasets[dataset]["key"] = key
    try:
        validate("workloads", work, WorkloadsSettings)
    except SettingsError as error:
        raise CiError(f"--key {key!r} does not do for dataset {dataset} of {path.name}: {error}") from error
    node = _at(yaml.compose(text), "config", WORK, "datasets", dataset, "key")
    return f"{text[: node.start_mark.index]}{json.dumps(key)}{text[node.end_mark.index :]}"


def _at(node: Any, *keys: str) -> Any:
    for key in keys:
        node = next(value for name, value in node.value if name.value == key)
    return node
