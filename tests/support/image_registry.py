"""A registry on loopback that asks for a login, and container tools that push into it: what `make images` meets.

Both are made up: a pushed image is a file of the registry's folder, and a build fails with words that a test gives it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

USER = "somebody:right"
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> {folder}/calls
for word; do
  case $previous in --tag) reference=$word ;; esac
  case $word in docker://*) reference=${{word#docker://}} ;; esac
  previous=$word
done
[ -n "$reference" ] || exit 0
path=${{reference#*/}}
if [ -e "{folder}/fails/$(basename "${{path%:*}}")" ]; then cat "{folder}/fails/$(basename "${{path%:*}}")"; exit 1; fi
mkdir -p "{folder}/registry/${{path%:*}}"
[ -e {folder}/loses ] || echo "$reference" > "{folder}/registry/${{path%:*}}/${{path##*:}}"
"""


class World:
    """What is pushed, who may, and which tools there are."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder, host
        for name in ("registry", "fails", "bin", "home/.docker"):
            (folder / name).mkdir(parents=True)

    def install(self, *tools: str) -> None:
        """Tools that push whatever they are told to build."""
        for name in tools:
            path = self.folder / "bin" / name
            path.write_text(TOOL.format(folder=self.folder))
            path.chmod(0o755)

    def log_in(self, user: str = USER) -> None:
        auth = {"auth": base64.b64encode(user.encode()).decode()}
        (self.folder / "home/.docker/config.json").write_text(json.dumps({"auths": {self.host: auth}}))

    def fail(self, image: str, words: str) -> None:
        """From now on a build of the image ends with these words."""
        (self.folder / "fails" / image).write_text(words)

    def mend(self) -> None:
        for path in (self.folder / "fails").iterdir():
            path.unlink()

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def pushed(self) -> set[str]:
        return {path.parent.name for path in (self.folder / "registry").rglob("*") if path.is_file()}


@contextmanager
def running(folder: Path, *, closed: bool = False) -> Iterator[World]:
    """A registry that answers until the end; one that is `closed` has no repositories and makes none."""
    worlds: list[World] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            if self._may():
                repository, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
                found = _find(worlds[0].folder / "registry" / repository, tag)
                self._answer(200 if found else 404, **({"Docker-Content-Digest": found} if found else {}))

        def do_POST(self) -> None:
            if self._may():
                self._answer(404 if closed else 202, Location=f"{self.path}1")

        def do_DELETE(self) -> None:
            self._answer(204)

        def log_message(self, *_: object, **__: object) -> None:
            """Nothing is shown."""

        def _may(self) -> bool:
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            if base64.b64decode(given).decode() == USER:
                return True
            self._answer(401, **{"WWW-Authenticate": 'Basic realm="made up"'})
            return False

        def _answer(self, status: int, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    worlds.append(World(folder, f"127.0.0.1:{server.server_port}"))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield worlds[0]
    finally:
        server.shutdown()
        server.server_close()


def _find(folder: Path, tag: str) -> str | None:
    """The digest of what is under a tag, or under that digest."""
    digests = {path.name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in folder.glob("*")}
    return digests.get(tag) or (tag if tag in digests.values() else None)
