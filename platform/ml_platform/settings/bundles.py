"""The bundles of foreign software that the platform consists of, and the places that they come from."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from ml_platform.bundles import catalog
from ml_platform.bundles.errors import BundleError
from ml_platform.configuration import MisfitError, Name, Settings


class BundlesSettings(Settings):
    """Bundles of foreign software: their mirrors, their versions, and those that the cluster already has."""

    mirror: Annotated[str, Field(pattern=r"^[/~]")] | None = None
    """The absolute path of a folder of renderings, which is tried before the network; without it, the environment
    variable ML_PLATFORM_MIRROR."""
    registry: Annotated[str, Field(pattern=r"^[a-z0-9]([-._:/a-z0-9]*[a-z0-9])?$")] | None = None
    """A registry that mirrors all images: each is pulled as <registry>/<its own reference>."""
    versions: dict[Name, str] = Field(default_factory=dict)
    """Versions of bundles, by bundle; the default is the version that the catalog names first."""
    existing: tuple[Name, ...] = ()
    """Bundles that the cluster already has: the stack uses them, and never installs, changes or removes them."""

    @property
    def folder(self) -> Path | None:
        """The mirror's folder, from the settings or the environment; None where neither names one."""
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
