"""Whether a platform can fetch and serve the files that blocks of `serving` name, by its release of KServe.

Plain values alone, as capabilities.py has them.
"""

from collections.abc import Iterator

from ml_platform.bundles import catalog
from ml_platform.bundles.catalog import Entry
from ml_platform.configuration import PROJECT
from ml_platform.settings import PlatformSettings

from ml_workloads.formats import FORMATS
from ml_workloads.settings import WorkloadsSettings
from ml_workloads.source_settings import FilesSettings, StoredSettings

KSERVE = "kserve"
INITIALIZER = "kserve-storage"
"""The image that fetches files from everywhere, in the releases that have it."""
FETCHED = ("s3", "pvc")
"""What can be fetched without it."""


def problems(settings: WorkloadsSettings, platform: PlatformSettings) -> Iterator[str]:
    """Sentences about what it can't, each with the way out."""
    release = catalog.entry(KSERVE, platform.bundles.versions.get(KSERVE))
    for name, each in settings.serving.items():
        path = f"{PROJECT}:workloads.serving.{name}"
        if isinstance(each, StoredSettings) and not FORMATS[each.format].own and each.format not in release.formats:
            yield (
                f"{path}.format is {each.format!r}, and {release.title} has no runtime for it; allowed: "
                f"{', '.join(_served(release))}. {_other_release(each.format)}or name an `image` that serves it"
            )
        if isinstance(each, FilesSettings) and each.files and not _fetched(release, each.scheme):
            yield (
                f"{path}.{each.files_key} is {each.files!r}, and {release.title} fetches files from "
                f"{' and '.join(f'{scheme}://' for scheme in FETCHED)}. Put them into the object store, and name their "
                f"place with:\n  pulumi config set --path '{path}.{each.files_key}' s3://<bucket>/<key>"
            )


def in_the_store(settings: WorkloadsSettings) -> Iterator[tuple[str, str]]:
    """The files that are in the object store, by the keys that name them."""
    for name, each in settings.serving.items():
        if isinstance(each, FilesSettings) and each.files and each.scheme == "s3":
            yield f"serving.{name}.{each.files_key}", each.files
            if isinstance(each, StoredSettings) and each.canary:
                yield f"serving.{name}.canary.uri", each.canary.uri


def _served(release: Entry) -> list[str]:
    return [name for name, each in FORMATS.items() if each.own or name in release.formats]


def _fetched(release: Entry, scheme: str) -> bool:
    return INITIALIZER in release.images or scheme in FETCHED


def _other_release(name: str) -> str:
    """The command that chooses a release which serves the format."""
    fitting = next((each.version for each in catalog.releases()[KSERVE] if name in each.formats), None)
    if fitting is None:
        return "Choose another format, "
    command = f"pulumi config set --path '{PROJECT}:platform.bundles.versions.{KSERVE}' {fitting}"
    return f"Choose a release that has one with:\n  {command}\n"
