"""Kustomizations, built by the command `kustomize` or by the one in kubectl."""

from pathlib import Path

from ml_platform.bundles.errors import BundleError, UnobtainableError
from ml_platform.bundles.render.process import find, run


def command() -> list[str]:
    """The words of the command that builds a kustomization on this machine."""
    found = find("kustomize", "kubectl", advice="Install kubectl, or use a mirror, which needs none.")
    return [found, "build" if Path(found).name == "kustomize" else "kustomize"]


def build(folder: Path) -> str:
    """The rendering of the kustomization in `folder`, which may name resources on the network."""
    return run([*command(), folder], purpose=f"Building the kustomization {folder.name}", error=UnobtainableError)


def put(folder: Path, url: str, text: str) -> None:
    """Writes `text` to a file that the kustomization in `folder` then names in the place of `url`.

    Raises:
        BundleError: the kustomization does not name `url`.
    """
    path, name = folder / "kustomization.yaml", url.rpartition("/")[2]
    written = path.read_text() if path.exists() else ""
    if url not in written:
        raise BundleError(
            f"The kustomization {folder.name} names no {url}: mend `fetched` of its source in the catalog."
        )
    (folder / name).write_text(text)
    path.write_text(written.replace(url, name))
