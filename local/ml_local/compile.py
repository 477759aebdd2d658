"""Compiles the commands of one Go module for several architectures: what the Containerfile beside the modules runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ml_local import toolchains
from ml_local.errors import LocalError


def compile_for(module: str, folder: Path, architectures: Sequence[str]) -> None:
    """Put the commands into `folder/<architecture>`, by the names that Go has for architectures.

    Raises:
        LocalError: there is no such module, or a build failed.
    """
    chosen = next((each for each in toolchains.toolchains() if each.name == module), None)
    if chosen is None:
        raise LocalError(f"no module {module!r}; there are {', '.join(each.name for each in toolchains.toolchains())}")
    for architecture in architectures:
        os.environ["GOARCH"] = architecture
        shutil.rmtree(chosen.folder, ignore_errors=True)  # of another architecture
        toolchains.build(chosen)
        shutil.copytree(chosen.folder / "bin", folder / architecture)


if __name__ == "__main__":
    try:
        compile_for(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
    except LocalError as failure:
        sys.exit(f"error: {failure}")
