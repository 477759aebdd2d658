"""The repositories of a registry that does not create them on a push: one for each image that `make images` can push.

Every image of the table has one, whether the stack runs it today or not. An image has to be pushed before the stack
that runs it comes up, so its repository has to exist earlier; an empty repository costs nothing.
"""

import tomllib
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "workloads" / "images" / "images.toml"
COMMANDS = "commands"
"""The image that other images copy their Go commands from."""


def names() -> tuple[str, ...]:
    """The names of all images that a registry holds; the node's own, which have a tag, are left out."""
    table = tomllib.loads(TABLE.read_text())
    return tuple(sorted({COMMANDS, *(name for name, image in table.items() if "tag" not in image)}))
