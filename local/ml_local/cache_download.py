"""Gets a file by its URL, goes on where an earlier try ended, and keeps what has the expected digest alone.

Standard library only: it runs where nothing is installed yet.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ml_local.errors import LocalError

CHUNK = 1 << 20
TIMEOUT = 30.0  # seconds without a byte
TRIES = 5  # in a row without a byte more
PAUSE = 1.0  # seconds before the second; twice that before each later one
MIB = 2**20
WHOLE = 416  # what is asked for begins after the file's end


def download(url: str, sha256: str, target: Path, say: Callable[[str], None]) -> None:
    """Have the file at `target`; until then it grows beside it.

    Raises:
        LocalError: the server does not answer or refuses, there is no room, or the file has another digest.
    """
    partial = target.with_name(f"{target.name}.partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    tries = 0
    while tries < TRIES:
        before = partial.stat().st_size if partial.exists() else 0
        try:
            _continue(url, partial, say)
            break
        except HTTPError as refused:
            if refused.code < 500:
                raise LocalError(f"{shown(url)} answers {refused.code} {refused.reason}; look at CACHE") from refused
            failure: Exception = refused
        except (OSError, http.client.HTTPException, ValueError) as broken:
            failure = broken
        after = partial.stat().st_size if partial.exists() else 0
        tries = 1 if after > before else tries + 1
        say(f"{failure}; once more")
        time.sleep(PAUSE * 2 ** (tries - 1) if tries < TRIES else 0)
    else:
        raise LocalError(
            f"{shown(url)} can't be had: {failure}. What has come so far is kept: run the same command again, or get "
            "the file by other means and name it: CACHE=FILE"
        )
    if (found := digest(partial)) != sha256:
        partial.unlink()
        raise LocalError(
            f"{shown(url)} has sha256 {found}, and {sha256} was expected: it is not that file. It was not used, and is "
            "removed. Compare CACHE_SHA256 with what `make cache` said when the archive was made."
        )
    partial.rename(target)


def digest(file: Path) -> str:
    """Its sha256, in hex."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def shown(url: str) -> str:
    """Without what may be a secret: a user, a password, a signature."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _continue(url: str, partial: Path, say: Callable[[str], None]) -> None:
    there = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={there}-"} if there else {})  # noqa: S310
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
    except HTTPError as refused:
        if there and refused.code == WHOLE:
            return
        raise
    with answer:
        resumed = answer.status == 206  # else the server sends all of it again
        there = there if resumed else 0
        length = int(answer.headers.get("Content-Length") or 0)
        _check_room(partial.parent, length)
        with partial.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                say(f"{file.tell() / MIB:.0f} of {(there + length) / MIB:.0f} MiB")
            if length and file.tell() < there + length:
                raise http.client.IncompleteRead(b"", there + length - file.tell())


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LocalError(
            f"{folder} has {free / MIB:.0f} MiB free and {needed / MIB:.0f} are to come. Free some, or name another "
            "place: ML_PLATFORM_CACHE=DIR make up ..."
        )
