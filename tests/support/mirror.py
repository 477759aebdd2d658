"""The mirror of upstream releases that some tests are for: a folder of renderings, <part>/<version>.yaml.

ML_PLATFORM_MIRROR names it; without that, it is looked for beside the checkout. Nothing of it is in the repository.
"""

from __future__ import annotations

import os
from pathlib import Path

from ml_platform.bundles.source import REPOSITORY

VARIABLE = "ML_PLATFORM_MIRROR"


def find() -> Path | None:
    """The mirror, where there is one."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "upstream"
    return folder if folder.is_dir() else None
