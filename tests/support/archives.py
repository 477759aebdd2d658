"""Archives of a cache as nobody would make them with `make cache`, and servers that hand them out."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from ml_local import cache_archive
from ml_local.cache_archive import Source
from ml_local.cache_manifest import Manifest, Part
from ml_local.debian_packages import Packages

NEWEST = Packages("2026-11-29", ("runc=1",))


def packed(file: Path, folder: Path, files: Mapping[str, str], architecture: str, cache: Path = Path("/there")) -> Path:
    """An archive of files by their paths in a cache, whose first two names are a part."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    parts = sorted({"/".join(Path(name).parts[:2]) for name in files})
    return written(file, [source(folder, part) for part in parts], architecture, cache)


def written(file: Path, sources: Sequence[Source], architecture: str, cache: Path, packages: Packages = NEWEST) -> Path:
    """An archive of a cache where those are Debian's packages."""

    def about(parts: tuple[Part, ...]) -> Manifest:
        return Manifest(architecture=architecture, cache=str(cache), packages=asdict(packages), parts=parts)

    cache_archive.write(file, sources, about, lambda _: None)
    return file


def source(cache: Path, part: str, holds: Mapping[str, str] | None = None) -> Source:
    """All of one folder of a cache."""
    files = [path.relative_to(cache / part).as_posix() for path in (cache / part).rglob("*")]
    return Source(path=part, folder=cache / part, files=files, holds=holds or {})


def rewritten(file: Path, members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """An archive's manifest and other members than it names."""
    with gzip.open(file) as stream, tarfile.open(fileobj=stream) as archive:
        manifest = archive.extractfile("manifest.json")
        head = manifest.read() if manifest else b""
    with gzip.open(file, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for member, content in ((tarfile.TarInfo("manifest.json"), head), *members):
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


class Server:
    """Hands out one file on loopback, `cut` bytes of it at most in an answer, and notes what ranges were asked for."""

    def __init__(self, content: bytes) -> None:
        self.content, self.cut, self.status, self.resumes = content, len(content), 0, True
        self.asked: list[str] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "")
        self.asked.append(asked)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.resumes else 0
        beyond = begin >= len(self.content)
        handler.send_response(self.status or (416 if beyond else 206 if begin else 200))
        rest = b"" if beyond or self.status else self.content[begin:]
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[: self.cut])


@contextmanager
def served(content: bytes) -> Iterator[Server]:
    server = Server(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        server.url = f"http://127.0.0.1:{listening.server_port}/cache.tar.gz"
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
