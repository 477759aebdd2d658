"""From a pinned source to its verified rendering: one YAML text.

It owns where bytes come from and that they are the recorded ones. It interprets nothing in them.
"""

import hashlib
from pathlib import Path

from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError

REPOSITORY = Path(__file__).resolve().parents[3]


def render(entry: Entry, root: Path = REPOSITORY) -> str:
    """The rendering of `entry`, checked against the digest in the catalog."""
    text = resolve(root / entry.source.path)
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != entry.source.sha256:
        raise BundleError(
            f"Bundle {entry.name!r}: {entry.source.path} has sha256 {found}, the catalog says {entry.source.sha256}. "
            f"If the change is wanted, record the new digest in catalog.toml; if not, restore the files."
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
