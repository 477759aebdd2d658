"""The commands behind `make`. Owns their order and their errors; each part does its own work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ml_local import console, entry
from ml_local.node.layout import layout

ROWS = "a file of rows (JSON, or CSV with a header line), or one row by its columns; default: one iris flower"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, and give the number that it ends with."""
    parser = argparse.ArgumentParser(prog="ml_local", description="The embedded ML platform on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name in ("up", "build"):
            command.add_argument("config", nargs="?", type=Path, help="another stack file in place of the stack's own")
        if name == "build":
            command.add_argument("--update", action="store_true", help="of the newest packages that Debian has")
        if name == "predict":
            command.add_argument("words", nargs="*", metavar="FILE | COLUMN=VALUE", help=ROWS)
            command.add_argument("--model", help="the block of `serving`, where several models take such columns")
            command.add_argument("--canary", action="store_true", help="ask the model's canary alone")
    options = parser.parse_args(argv)
    return entry.run(lambda: COMMANDS[options.command][0](options))


def _up(options: argparse.Namespace) -> None:
    from ml_local.up import up

    up(layout(), options.config)


def _build(options: argparse.Namespace) -> None:
    from ml_local import stack, stackfile
    from ml_local.up import build

    build(stackfile.wanted(options.config or stack.stack_file()), update=options.update)


def _down(_: argparse.Namespace) -> None:
    from ml_local import lock, stack
    from ml_local.node import host, node

    with lock.exclusive("make down"), console.step(f"Node, platform and all data in {layout().state} removed"):
        other = host.holder(layout().state)
        if other is None:
            stack.forget()
        node.destroy(layout())
    if other:
        console.line(f"the node of {other} goes on: `ML_PLATFORM_STATE={other} make down` removes it")


def _stop(_: argparse.Namespace) -> None:
    from ml_local import lock
    from ml_local.node import node

    with lock.exclusive("make stop"), console.step("Node stopped; its data stays, `make up` starts it again"):
        node.stop(layout())


def _status(_: argparse.Namespace) -> None:
    from ml_local.status import status

    status(layout())


def _predict(options: argparse.Namespace) -> None:
    from ml_local.predict import predict

    predict(layout(), options.words, options.model, canary=options.canary)


def _env(_: argparse.Namespace) -> None:
    from ml_local.environment import shell

    console.line(shell(layout()))


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str]] = {
    "up": (_up, "from a bare machine, or from where it stands, to a served prediction"),
    "down": (_down, "remove the node, the platform and all data; the cache stays"),
    "stop": (_stop, "stop the node; its data stays"),
    "status": (_status, "what runs, what it uses, and what does not work"),
    "predict": (_predict, "send a request to the served model and print the answer"),
    "env": (_env, "print what to export for pulumi, kubectl, mlflow and boto3"),
    "build": (_build, "only build: Go commands and images, into the cache"),
}


if __name__ == "__main__":
    sys.exit(main())
