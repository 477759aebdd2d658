"""The verified text of a part: from a mirror, else from the cache, else from its source.

The digest in the catalog is the only check here; other modules interpret the text.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ml_platform.bundles import cache
from ml_platform.bundles.catalog import Entry, FileSource, Part
from ml_platform.bundles.errors import BundleError, UnobtainableError
from ml_platform.bundles.render import describe, joined, render

REPOSITORY = Path(__file__).resolve().parents[3]
MIRROR = "ML_PLATFORM_MIRROR"

# The advice where a text has another digest, by its origin.
_FILE = "If the change is wanted, record the new digest in the catalog; if not, restore the files."
_MIRRORED = "The file is damaged or of another release: restore it, or write it anew."
_RENDERED = (
    "The source was changed under the same name, or the tools render otherwise than those that the catalog was made "
    "with (Helm 3.21, Kustomize 5.8): compare `helm version` and `kubectl version --client`."
)


@dataclass(frozen=True)
class Rendering:
    """A verified text and its origin."""

    text: str
    origin: str


def resolve(entry: Entry, part: Part, mirror: Path | None = None, root: Path = REPOSITORY) -> Rendering:
    """The rendering of `part` with the digest in the catalog. `mirror` has precedence over the environment's.

    Raises:
        BundleError: the rendering can't be had, or has another digest.
    """
    if isinstance(part.source, FileSource):
        return _verified(entry, part, joined(root / part.source.path), str(root / part.source.path), _FILE)
    mirror = mirror or _mirror_of_environment()
    path = mirrored(part, mirror) if mirror else None
    if path and path.exists():
        return _verified(entry, part, joined(path), str(path), f"{_MIRRORED}\n{_way_out(entry)}")
    kept = cache.text(part.sha256)
    if kept is not None:
        return Rendering(kept, f"the cache {cache.folder()}")
    try:
        text = render(entry, part)
    except UnobtainableError as error:
        raise BundleError(f"{_title(entry, part)} {_where_missing(part, mirror)}{error}\n{_way_out(entry)}") from error
    except BundleError as error:
        raise BundleError(f"{_title(entry, part)}: {error}") from error
    rendering = _verified(entry, part, text, describe(part.source), _RENDERED)
    cache.keep(rendering.text)
    return rendering


def available_offline(part: Part, mirror: Path | None = None) -> bool:
    """Whether `part` is available without the network."""
    mirror = mirror or _mirror_of_environment()
    here = isinstance(part.source, FileSource) or (mirror is not None and mirrored(part, mirror).exists())
    return here or cache.text(part.sha256) is not None


def mirrored(part: Part, mirror: Path) -> Path:
    """The file that holds a part in a mirror."""
    return mirror / part.name / f"{part.version}.yaml"


def write(path: Path, text: str) -> None:
    """Writes a file of a mirror.

    Raises:
        BundleError: the file can't be written.
    """
    try:
        cache.write(path, text)
    except OSError as error:
        raise BundleError(f"{path} can't be written: {error.strerror}.") from error


def _mirror_of_environment() -> Path | None:
    named = os.environ.get(MIRROR)
    return Path(named) if named else None


def _verified(entry: Entry, part: Part, text: str, origin: str, advice: str) -> Rendering:
    found = cache.sha256(text)
    if found == part.sha256:
        return Rendering(text, origin)
    raise BundleError(
        f"{_title(entry, part)} from {origin} has sha256\n  {found}, but the catalog says\n  {part.sha256}.\n{advice}"
    )


def _title(entry: Entry, part: Part) -> str:
    return f"Bundle {entry.title}: part {part.name} {part.version}"


def _where_missing(part: Part, mirror: Path | None) -> str:
    if mirror is None:
        return f"is not in the cache and no mirror is set. Its source is {describe(part.source)}.\n"
    others = sorted(path.stem for path in mirrored(part, mirror).parent.glob("*.yaml"))
    versions = f"it has {part.name} {', '.join(others)}" if others else f"it has no {part.name} at all"
    return (
        f"is not in the mirror: {mirrored(part, mirror)} is missing ({versions}), and not in the cache. "
        f"Its source is {describe(part.source)}.\n"
    )


def _way_out(entry: Entry) -> str:
    return (
        "On a machine with a network, Helm and kubectl:\n"
        f"  python -m ml_platform.bundles mirror DIR {entry.name}@{entry.version}\n"
        f"Then name that folder here: {MIRROR}=DIR, or "
        "`pulumi config set --path ml-platform:platform.bundles.mirror DIR`."
    )
