"""The repositories of a registry that makes none by itself: one for each image that `make images` can push.

All of the table and not only what a stack runs today: an empty repository costs nothing, and one that is made when a
setting asks for its image comes too late, since the image has to be there before the stack that runs it.
"""

import tomllib
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "workloads" / "images" / "images.toml"
COMMANDS = "commands"
"""What images copy their Go command from."""


def names() -> tuple[str, ...]:
    """Those of all images but the node's own, which have a tag."""
    table = tomllib.loads(TABLE.read_text())
    return tuple(sorted({COMMANDS, *(name for name, image in table.items() if "tag" not in image)}))
