"""From a pinned source to its verified rendering: one YAML text.

It owns where bytes come from and that they are the recorded ones. It interprets nothing in them.
"""

import hashlib
from pathlib import Path

from ml_platform.bundles.catalog import Part
from ml_platform.bundles.errors import BundleError

REPOSITORY = Path(__file__).resolve().parents[3]


def render(part: Part, mirror: Path | None = None, root: Path = REPOSITORY) -> str:
    """The rendering of `part`, checked against the digest in the catalog."""
    mirrored = mirror / part.name / f"{part.version}.yaml" if mirror else None
    if part.source.kind == "file":
        path = root / part.source.path
    elif mirrored and mirrored.exists():
        path = mirrored
    else:
        raise BundleError(f"{part.name} {part.version} is not in the mirror {mirror}.")
    text = resolve(path)
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != part.sha256:
        raise BundleError(
            f"{part.name} {part.version}: {path} has sha256 {found}, the catalog says {part.sha256}. "
            f"If the change is wanted, record the new digest in the catalog; if not, restore the files."
        )
    return text


def resolve(path: Path) -> str:
    """A file's text; a folder's *.yaml joined in the order of their names."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    try:
        texts = [file.read_text() for file in files]
    except OSError as error:
        raise BundleError(f"{path} can't be read: {error.strerror}.") from error
    if not texts:
        raise BundleError(f"{path} holds no *.yaml file.")
    return "---\n".join(text if text.endswith("\n") else f"{text}\n" for text in texts)
