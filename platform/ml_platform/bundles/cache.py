"""Renderings and what was parsed from them, kept on disk by the sha256 of the text.

YAML parses slowly and JSON does not: that is what makes a preview quick. Whatever is damaged here is made again; where
the folder can't be written, everything works, only more slowly.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path

from ml_platform.bundles import parse
from ml_platform.bundles.parse import Object

VARIABLE = "ML_PLATFORM_RENDERINGS"


def folder() -> Path:
    """Where it lies."""
    named = os.environ.get(VARIABLE)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(base) / "ml-platform" / "renderings"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def text(digest: str) -> str | None:
    """The rendering with that sha256, if it is here and whole."""
    found = _read(folder() / f"{digest}.yaml")
    return found if found is not None and sha256(found) == digest else None


def keep(rendering: str) -> None:
    """Puts a rendering here."""
    with contextlib.suppress(OSError):
        write(folder() / f"{sha256(rendering)}.yaml", rendering)


def objects(rendering: str) -> list[Object]:
    """The objects of a rendering: new ones at each call, so that no caller sees what another did to them."""
    path = folder() / f"{sha256(rendering)}.{parse.VERSION}.json"
    with contextlib.suppress(ValueError, TypeError):
        found: list[Object] = json.loads(_read(path) or "")["objects"]
        return found
    parsed = json.dumps({"objects": parse.parse(rendering)})
    with contextlib.suppress(OSError):
        write(path, parsed)
    fresh: list[Object] = json.loads(parsed)["objects"]
    return fresh


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None


def write(path: Path, content: str) -> None:
    """All of it or nothing, also when two write at once or one is interrupted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=path.parent)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content.encode())
        Path(partial).chmod(0o644)
        Path(partial).rename(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
