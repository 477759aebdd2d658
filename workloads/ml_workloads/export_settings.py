"""The files of a model on a volume: the blocks of `runs` with operator export."""

from typing import Annotated, Literal

from ml_platform.configuration import Name
from pydantic import Field

from ml_workloads.fields import Version
from ml_workloads.learning_settings import BoundedSettings

VolumePrefix = Annotated[
    str,
    Field(
        pattern=r"^pvc://[a-z0-9]([-a-z0-9]*[a-z0-9])?/([A-Za-z0-9][-A-Za-z0-9_.]*/)*$",
        description="pvc://<claim>/, or a folder on it: pvc://<claim>/<path>/.",
    ),
]


class ExportSettings(BoundedSettings):
    """The files of a model's version on a volume, as its gate has judged them, for a server of one's own that finds
    them there. Another version is another run, and has a folder of its own."""

    operator: Literal["export"]
    model: Name
    """The registered model; for its champion, a block of `models`."""
    version: Version = "champion"
    """champion: the version that the gate has accepted last. A number: that one, which a gate has accepted."""
    output: VolumePrefix
    """The folder on a volume below which each version has one with its number."""

    @property
    def claim(self) -> str:
        """The PersistentVolumeClaim: a block of `claims`, or one that somebody else has made in the namespace."""
        return self.output.removeprefix("pvc://").partition("/")[0]
