"""A disk cache of renderings and of the objects parsed from them, by the sha256 of the text.

Previews are quick because JSON parses faster than YAML. A damaged file is made again. Where the folder can't be
written, everything works, only more slowly.
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
    """The folder of the cache: the one that ML_PLATFORM_RENDERINGS names, else one in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(base) / "ml-platform" / "renderings"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def text(digest: str) -> str | None:
    """The rendering with that sha256; None if the cache does not have it undamaged."""
    found = _read(folder() / f"{digest}.yaml")
    return found if found is not None and sha256(found) == digest else None


def keep(rendering: str) -> None:
    """Puts a rendering into the cache, if its folder can be written."""
    with contextlib.suppress(OSError):
        write(folder() / f"{sha256(rendering)}.yaml", rendering)


def objects(rendering: str) -> list[Object]:
    """The objects of a rendering. Each call returns new ones, so that callers may change them."""
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
    """Writes a file atomically: it is complete or absent, also when two write at once or one is interrupted."""
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
