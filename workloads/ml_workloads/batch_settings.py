"""The scoring of data by a model: the blocks of `runs` with operator batch."""

from typing import Literal

from ml_platform.configuration import Name

from ml_workloads.fields import Columns, DataName, Prefix, Version
from ml_workloads.learning_settings import BoundedSettings


class BatchSettings(BoundedSettings):
    """The answers of a model to all rows of data, in the object store: part by part, so that a run that starts again
    goes on. Other data, or another version, are another run."""

    operator: Literal["batch"]
    data: DataName
    """What is scored."""
    model: Name
    """The registered model; for its champion, a block of `models`."""
    version: Version = "champion"
    """champion: the version that the gate has accepted last. A number: that one, which a gate has accepted."""
    output: Prefix
    """The prefix below which each run leaves its parts, in a folder with the name of its key."""
    keep: Columns | None = None
    """The columns of the data that stand beside the answers; without it, all."""
