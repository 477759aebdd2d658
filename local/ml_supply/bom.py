"""Bills of materials in CycloneDX's format: of the Python packages that are pinned, and of each image that is built.

The same inputs give the same bytes: no time but that of the images, and numbers that are digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from ml_local import image_builder, images, paths

from ml_supply import image_contents, python_packages

LOCK = "requirements-dev.txt"


def python() -> Bom:
    """Of all Python packages of this repository."""
    lock = paths.checkout() / LOCK
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return bill(ComponentType.APPLICATION, "python", f"sha256:{digest}", python_packages.pinned(lock))


def built() -> Iterator[Bom]:
    """Of each image that is built as it is declared now."""
    for name, digest in images.built().items():
        contents = image_contents.components(name, image_builder.cached().layout, digest)
        yield bill(ComponentType.CONTAINER, name, digest, contents)


def bill(kind: ComponentType, name: str, digest: str, components: Iterable[Component]) -> Bom:
    """Of what is named `name`, and identified by a digest."""
    subject = Component(type=kind, bom_ref=name, name=name, version=digest)
    created = datetime.fromtimestamp(int(image_builder.TIMESTAMP), UTC)
    bom = Bom(
        serial_number=uuid5(NAMESPACE_OID, f"{name}@{digest}"),
        metadata=BomMetaData(timestamp=created, component=subject),
        components=components,
    )
    bom.register_dependency(subject, bom.components)
    return bom


def title(bom: Bom) -> str:
    """What a bill is of."""
    subject = bom.metadata.component
    return subject.name if subject else ""


def write(bom: Bom, folder: Path) -> Path:
    """As <name>.cdx.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{title(bom)}.cdx.json"
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=2) + "\n")
    return path
