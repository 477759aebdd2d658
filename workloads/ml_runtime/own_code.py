"""Code of a user's own: which files it is, and how its failures are said.

A failure of it would be the same in the next try. So it ends the run, in one sentence that names the file, the line,
what stands there and the exception.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ml_runtime.errors import AwayError, RunError

T = TypeVar("T")
LONGEST = 500
"""Characters of an exception's own words."""


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """The files of a program: itself, and what it has imported of what lies beside it."""

    main: Path | None = None
    files: tuple[Path, ...] = ()

    @property
    def named(self) -> dict[str, Path]:
        """The files by their path below the program's folder."""
        return {str(path.relative_to(self._folder)): path for path in self.files}

    @property
    def beside(self) -> list[Path]:
        """The modules and packages that must come with a model to be found: all but the program itself."""
        tops = {path.relative_to(self._folder).parts[0] for path in self.files if path != self.main}
        return [self._folder / name for name in sorted(tops)]

    @property
    def _folder(self) -> Path:
        return self.main.parent if self.main else Path()


NONE = OwnCode()


def of(function: Callable[..., Any]) -> OwnCode:
    """The files of the program that a function is of; none where it was typed into an interpreter."""
    source = getattr(sys.modules.get(function.__module__), "__file__", None)
    if source is None:
        return NONE
    main = Path(source)
    loaded = {Path(path) for module in list(sys.modules.values()) if (path := getattr(module, "__file__", None))}
    own = (path for path in {main, *loaded} if path.is_relative_to(main.parent) and "site-packages" not in path.parts)
    return OwnCode(main=main, files=tuple(sorted(path for path in own if path.suffix == ".py")))


def called(what: str, action: Callable[[], T], code: OwnCode) -> T:
    """What `action` gives, which runs code of a user's own.

    Raises:
        RunError: it raised anything, or ended the process.
    """
    try:
        return action()
    except (RunError, AwayError):
        raise
    except (Exception, SystemExit) as failure:
        raise RunError(f"{what} failed{place(failure, set(map(str, code.files)))}: {said(failure)}") from failure


def place(failure: BaseException, files: set[str]) -> str:
    """Where in these files an exception comes from, as far as it does."""
    frames = [frame for frame in _frames(failure) if frame.filename in files]
    if not frames:
        return ""
    last = frames[-1]
    return f" in {Path(last.filename).name}, line {last.lineno}" + (f" (`{last.line}`)" if last.line else "")


def said(failure: BaseException) -> str:
    """The exception and its words, in one line."""
    words = " ".join(str(failure).split())[:LONGEST]
    return f"{type(failure).__name__}: {words}" if words else type(failure).__name__


def _frames(failure: BaseException) -> Iterator[traceback.FrameSummary]:
    yield from traceback.extract_tb(failure.__traceback__)
    if isinstance(failure, SyntaxError) and failure.filename:
        text = (failure.text or "").strip()
        yield traceback.FrameSummary(failure.filename, failure.lineno, "", lookup_line=False, line=text)
