"""Rendering: from a pinned source to its text, with the network and with git, Helm and Kustomize.

source.py decides whether a part must be rendered, and verifies the result.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ml_platform.bundles.catalog import ChartSource, Entry, GitSource, ManifestSource, Part, Source
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.render import git, helm, kustomize, manifest
from ml_platform.bundles.render.edits import edited

_TOOLS: Mapping[str, Callable[[], object]] = {"helm": helm.command, "kustomize": kustomize.command}


def render(entry: Entry, part: Part) -> str:
    """The text of `part`, rendered from its source, after its edits.

    Raises:
        BundleError: the source can't be rendered.
        UnobtainableError: a tool or the network is missing.
    """
    with TemporaryDirectory(prefix="ml-platform-") as name:
        folder, source = Path(name), part.source
        if isinstance(source, GitSource):
            text = _from_git(entry, part, source, folder)
        elif isinstance(source, ChartSource):
            target = helm.Target.of(entry, part, source.release)
            text = helm.template(helm.pull(source, folder), target, source.values)
        elif isinstance(source, ManifestSource):
            text = manifest.download(part, source)
        else:
            raise BundleError(f"{source.path} is a file of this repository: there is nothing to render")
    return edited(text, part.edits)


def describe(source: Source) -> str:
    """The address of a source, for the reader."""
    if isinstance(source, GitSource):
        return f"https://{source.repository} at {source.ref} ({source.commit}), {source.path}"
    if isinstance(source, ChartSource):
        return f"{source.repository}/{source.chart} {source.version}"
    return source.url if isinstance(source, ManifestSource) else source.path


def joined(path: Path) -> str:
    """A file's text; a folder's *.yaml joined in the order of their names."""
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    try:
        texts = [file.read_bytes().decode() for file in files]
    except OSError as error:
        raise BundleError(f"{path} can't be read: {error.strerror}.") from error
    if not texts:
        raise BundleError(f"{path} holds no *.yaml file.")
    return "---\n".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def _from_git(entry: Entry, part: Part, source: GitSource, folder: Path) -> str:
    if source.render in _TOOLS:
        _TOOLS[source.render]()  # a missing tool is reported before anything is fetched
    git.checkout(source, folder)
    path = folder / source.path
    if not path.exists():
        raise BundleError(f"{describe(source)} does not exist in that commit.")
    if source.render == "helm":
        if source.chart_version:
            helm.stamp(path, source.chart_version, source.app_version or source.chart_version)
        return helm.template(path, helm.Target.of(entry, part, source.release), source.values)
    for each in source.fetched:
        with TemporaryDirectory(prefix="ml-platform-") as name:
            kustomize.put(folder / each.by, each.url, _from_git(entry, part, each.source, Path(name)))
    return kustomize.build(path) if source.render == "kustomize" else joined(path)
