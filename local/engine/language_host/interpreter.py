"""Which Python runs a program: the project's virtual environment, else the one of this installation."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NoInterpreter(Exception):  # noqa: N818
    """The project asks for a Python that is not there; the message says how to make it."""


@dataclass(frozen=True)
class Interpreter:
    """A Python and the environment variables that make it the default for what the program starts."""

    python: str
    environment: Mapping[str, str]
    prefix: Path | None = None  # of a virtual environment


def choose(options: Mapping[str, Any], root: str) -> Interpreter:
    """As `runtime.options` of Pulumi.yaml say; `root` is where that file lies."""
    toolchain = options.get("toolchain", "")
    if toolchain not in ("", "auto", "pip", "uv"):
        raise NoInterpreter(f"toolchain {toolchain!r} is not served by this stand-in: use pip or uv")
    if options.get("typechecker"):
        raise NoInterpreter(
            f"typechecker {options['typechecker']!r} is not served by this stand-in: "
            "remove the option, and run the type checker by itself"
        )
    folder = options.get("virtualenv") or _of_uv(toolchain, root)
    if folder:
        return _virtual(Path(root, str(folder)).absolute())
    return Interpreter(os.environ.get("PULUMI_PYTHON_CMD") or sys.executable, {})


def _of_uv(toolchain: str, root: str) -> str:
    if toolchain != "uv":
        return ""
    return os.environ.get("UV_PROJECT_ENVIRONMENT") or next(
        (str(folder / ".venv") for folder in (Path(root), *Path(root).parents) if (folder / ".venv").is_dir()),
        ".venv",
    )


def _virtual(prefix: Path) -> Interpreter:
    python = prefix / "bin" / "python"
    if not python.exists():
        raise NoInterpreter(
            f"the virtualenv of Pulumi.yaml, {prefix}, has no bin/python. Make it:\n"
            f"  python3 -m venv {prefix} && {python} -m pip install -r requirements.txt"
        )
    path = f"{prefix / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return Interpreter(str(python), {"VIRTUAL_ENV": str(prefix), "PATH": path}, prefix)
