"""The files of an image's layer, read without unpacking it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import zstandard


def members(blob: Path) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """Each member in its order, with the archive that has its content while it is the current one."""
    with (
        blob.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        for member in archive:
            yield member, archive


def content(member: tarfile.TarInfo, archive: tarfile.TarFile) -> bytes:
    """Of the current member; nothing of what is no file."""
    file = archive.extractfile(member) if member.isfile() else None
    return file.read() if file else b""
