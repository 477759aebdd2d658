"""Kustomizations, built by the command `kustomize` or by that in kubectl."""

from pathlib import Path

from ml_platform.bundles.errors import UnobtainableError
from ml_platform.bundles.render.process import find, run


def command() -> list[str]:
    """How Kustomize is called here."""
    found = find("kustomize", "kubectl", advice="Install kubectl, or use a mirror, which needs none.")
    return [found, "build" if Path(found).name == "kustomize" else "kustomize"]


def build(folder: Path) -> str:
    """The rendering of the kustomization in `folder`, which may name resources on the network."""
    return run([*command(), folder], purpose=f"Building the kustomization {folder.name}", error=UnobtainableError)
