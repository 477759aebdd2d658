"""The folder that keeps built images in the OCI image layout: manifests by name, and the blobs that they share.

buildah writes into it. Owns what buildah's export lacks: it would compress the layers of a base again for each image
that is built on it, half a minute for the Python images; here only an image's own layers are exported.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAME = "org.opencontainers.image.ref.name"


class Layout:
    """An OCI image layout at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def blob(self, digest: str) -> Path:
        """The file of one blob."""
        return self.folder / "blobs" / digest.replace(":", "/")

    def find(self, name: str) -> str | None:
        """The digest of the manifest with this name."""
        entry = self._entry(self._index(), name)
        return str(entry["digest"]) if entry else None

    def blobs(self, digest: str) -> tuple[str, ...]:
        """The digests of all that an image is: its manifest, its configuration, its layers."""
        manifest = self._read(digest)
        return (digest, *(each["digest"] for each in (manifest["config"], *manifest["layers"])))

    def add(self, name: str, digest: str) -> None:
        """Name a manifest that is here with all its blobs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        index, blob = self._index(), self.blob(digest)
        entry = {"mediaType": self._read(digest)["mediaType"], "digest": digest, "size": blob.stat().st_size}
        others = [each for each in index["manifests"] if each.get("annotations", {}).get(NAME) != name]
        self._write_index({**index, "manifests": [*others, {**entry, "annotations": {NAME: name}}]})

    @contextmanager
    def export(self, name: str, base: str | None) -> Iterator[None]:
        """While buildah exports the image `name`, built on the manifest `base`: the base's layers seem to be there.

        buildah looks for them uncompressed, by their digests, and copies what it does not find. It finds empty files;
        afterwards they are gone, and the image's manifest lists the layers of the base's instead.
        """
        self._mend()
        seeming = [self.blob(digest) for digest in self._uncompressed(base)] if base else []
        seeming = [path for path in seeming if not path.exists()]
        try:
            for path in seeming:
                path.touch()
            yield
        finally:
            for path in seeming:
                path.unlink(missing_ok=True)
        if base:
            self._graft(name, base)

    def take(self, other: Layout, name: str) -> None:
        """Copy an image from another layout."""
        index, entry = self._index(), other._entry(other._index(), name)
        if entry is None:
            raise FileNotFoundError(f"no image {name} in {other.folder}")
        for digest in other.blobs(entry["digest"]):
            self.blob(digest).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(other.blob(digest), self.blob(digest))
        self._write_index({**index, "manifests": [*index["manifests"], entry]})

    def drop(self, names: Sequence[str]) -> None:
        """Forget images, and the blobs that no other image has."""
        index = self._index()
        kept = [each for each in index["manifests"] if each.get("annotations", {}).get(NAME) not in names]
        self._write_index({**index, "manifests": kept})
        used = {entry["digest"] for entry in kept}
        for digest in tuple(used):
            used.update(self.blobs(digest))
        for path in (self.folder / "blobs").glob("*/*"):
            if f"{path.parent.name}:{path.name}" not in used:
                path.unlink()

    def _graft(self, name: str, base: str) -> None:
        index = self._index()
        entry = self._entry(index, name)
        if entry is None:
            raise FileNotFoundError(f"buildah left no image {name} in {self.folder}")
        manifest, below = self._read(entry["digest"]), self._read(base)["layers"]
        manifest["layers"][: len(below)] = below
        manifest.pop("annotations", None)  # buildah's name of the base, another one after each way that it came by it
        content = json.dumps(manifest, separators=(",", ":")).encode()
        entry["digest"], entry["size"] = f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)
        self.blob(entry["digest"]).write_bytes(content)
        self._write_index(index)

    def _uncompressed(self, manifest: str) -> list[str]:
        config = self._read(self._read(manifest)["config"]["digest"])
        return list(config["rootfs"]["diff_ids"])

    def _mend(self) -> None:
        """Undo what a killed export left: a half-written index, and files that only seem to be layers."""
        try:
            self._index()
        except ValueError:
            (self.folder / "index.json").unlink()
        for path in (self.folder / "blobs").glob("*/*"):
            if path.stat().st_size == 0:
                path.unlink()

    def _read(self, digest: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.blob(digest).read_bytes())
        return content

    def _index(self) -> dict[str, Any]:
        path = self.folder / "index.json"
        index: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"manifests": []}
        return index

    def _write_index(self, index: dict[str, Any]) -> None:
        partial = self.folder / "index.partial"
        partial.write_text(json.dumps(index))
        partial.replace(self.folder / "index.json")

    def _entry(self, index: dict[str, Any], name: str) -> dict[str, Any] | None:
        named = (each for each in index["manifests"] if each.get("annotations", {}).get(NAME) == name)
        return next(named, None)
