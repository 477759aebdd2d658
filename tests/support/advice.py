"""What becomes of a stack's settings when somebody runs the commands of a message or a page."""

from __future__ import annotations

import re
from typing import Any

import yaml

COMMAND = re.compile(
    r"pulumi config (?P<verb>set|rm)(?: --stack [\w-]+)? --path '?ml-platform:(?P<path>[\w.]+)(?P<first>\[0\])?'?"
    r"(?: (?P<value>[\w][\w./:@-]*\w|\w))?"
)


def followed(config: dict[str, Any], text: str) -> dict[str, Any]:
    """The configuration after all commands of the text, each as the CLI carries it out."""
    for command in COMMAND.finditer(text):
        block, *steps, last = command["path"].split(".")
        place = config[f"ml-platform:{block}"]
        for step in steps:
            place = place.setdefault(step, {})
        place.pop(last, None)
        if command["verb"] == "set":
            assert command["value"], f"{command[0]}: a value of one's own is no command to run as it stands"
            value = yaml.safe_load(command["value"])
            place[last] = [value] if command["first"] else value
    return config
