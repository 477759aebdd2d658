"""Which releases the platform is made of, and where they are found."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from ml_platform.bundles import catalog
from ml_platform.bundles.errors import BundleError
from ml_platform.configuration import MisfitError, Name, Settings


class BundlesSettings(Settings):
    """Releases of foreign software: where they are found, which versions, and which of them somebody else runs."""

    mirror: Annotated[str, Field(pattern=r"^[/~]")] | None = None
    """A folder of renderings, by its whole path, looked into before the network; without it, ML_PLATFORM_MIRROR of the
    environment."""
    registry: Annotated[str, Field(pattern=r"^[a-z0-9]([-._:/a-z0-9]*[a-z0-9])?$")] | None = None
    """A registry that mirrors all images: each is pulled as <registry>/<its own reference>."""
    versions: dict[Name, str] = Field(default_factory=dict)
    """Version of a bundle, where it is not the one that the catalog names first."""
    existing: tuple[Name, ...] = ()
    """Bundles that somebody else runs on this cluster: used, never installed, changed or removed."""

    @property
    def folder(self) -> Path | None:
        """The mirror: this one, or the environment's."""
        named = self.mirror or os.environ.get("ML_PLATFORM_MIRROR")
        return Path(named).expanduser() if named else None

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        for name, version in self.versions.items():
            try:
                catalog.entry(name, version)
            except BundleError as unknown:
                raise MisfitError(f"versions.{name}", str(unknown)) from unknown
        for name in self.existing:
            try:
                catalog.entry(name)
            except BundleError as unknown:
                raise MisfitError("existing", str(unknown)) from unknown
        return self
