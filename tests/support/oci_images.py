"""Images made of a few files, in a layout as buildah writes it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

import zstandard
from ml_local.oci_layout import Layout

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def blob(layout: Layout, content: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    layout.blob(digest).parent.mkdir(parents=True, exist_ok=True)
    layout.blob(digest).write_bytes(content)
    return digest


def image(layout: Layout, *layers: Mapping[str, bytes], created: str = "", level: int = 3, **attributes: Any) -> str:
    """Its manifest's digest. Each file has the attributes of a tar archive's members that are given."""
    digests = [blob(layout, zstandard.compress(archive(files, **attributes), level)) for files in layers]
    config = blob(layout, json.dumps({"created": created, "rootfs": {"diff_ids": digests}}).encode())
    manifest = {"mediaType": MANIFEST, "config": {"digest": config}, "layers": [{"digest": each} for each in digests]}
    return blob(layout, json.dumps(manifest).encode())


def archive(files: Mapping[str, bytes], **attributes: Any) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as opened:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            for key, value in {"size": len(content), "mode": 0o755, **attributes}.items():
                setattr(entry, key, value)
            opened.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
