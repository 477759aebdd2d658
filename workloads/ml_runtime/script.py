"""Runs a program of a user's own: `python -m ml_runtime.script /etc/ml-platform/train.py`.

What it raises before it calls ml_runtime ends the run in one sentence too, and is not tried again: a module that is not
in the image, a mistake in its syntax.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from ml_runtime import command, own_code
from ml_runtime.errors import RunError


def run(path: Path) -> None:
    """Run the file as Python would.

    Raises:
        RunError: it raised anything.
        SystemExit: it says by itself how it ends.
    """
    sys.path.insert(0, str(path.parent))
    try:
        runpy.run_path(str(path), run_name="__main__")
    except Exception as failure:
        raise RunError(
            f"the script failed{own_code.place(failure, _files(path))}: {own_code.said(failure)}"
        ) from failure


def _files(path: Path) -> set[str]:
    return {str(path), *map(str, path.parent.glob("**/*.py"))}


def main() -> int:
    """The command; the program's arguments are those that follow its path."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    sys.argv = sys.argv[1:]
    return command.finish(lambda: run(Path(sys.argv[0])))


if __name__ == "__main__":
    sys.exit(main())
