"""What a program's environment has installed, read from its folders: no interpreter is started for it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from language_host.interpreter import Interpreter


def plugins(interpreter: Interpreter) -> Iterator[dict[str, Any]]:
    """The `pulumi-plugin.json` of each package that needs a plugin, with the version always there."""
    for folder in _folders(interpreter):
        for path in sorted(folder.glob("*/pulumi-plugin.json")):
            described = json.loads(path.read_text())
            if not described.get("resource"):
                continue
            name = path.parent.name
            described.setdefault("name", name.removeprefix("pulumi_").replace("_", "-"))
            described.setdefault("version", dict(installed(interpreter)).get(name.replace("_", "-"), ""))
            yield described


def installed(interpreter: Interpreter) -> list[tuple[str, str]]:
    """(distribution, version), sorted."""
    found: dict[str, str] = {}
    for folder in _folders(interpreter):
        for path in folder.glob("*.dist-info"):
            name, _, version = path.name.removesuffix(".dist-info").rpartition("-")
            found.setdefault(name.replace("_", "-").lower(), version)
    return sorted(found.items())


def _folders(interpreter: Interpreter) -> list[Path]:
    if interpreter.prefix is not None:
        return sorted(interpreter.prefix.glob("lib/python*/site-packages"))
    return [Path(entry) for entry in dict.fromkeys(sys.path) if entry.endswith(("site-packages", "dist-packages"))]
