"""References of images, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ml_policies.engine.resource import Resource
from ml_policies.shapes.pods import containers, pods
from ml_policies.shapes.serving import sources

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
OCI = "oci://"
INJECTED = "inject.istio.io/templates"
"""Annotation of a pod whose image `auto` Istio replaces by that of its own release."""


@dataclass(frozen=True)
class Image:
    """Of a container, a volume or a model, as it is written."""

    reference: str
    holder: str
    """The container or volume that has it."""

    @property
    def pinned(self) -> bool:
        return DIGEST.search(self.reference) is not None

    @property
    def registry(self) -> str:
        first, slash, _ = self.reference.partition("/")
        return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"

    @property
    def tag(self) -> str:
        """latest where neither a tag nor a digest is written."""
        name = self.reference.partition("@")[0].rpartition("/")[2]
        return name.partition(":")[2] or ("" if "@" in self.reference else "latest")


def images(resource: Resource) -> Iterator[Image]:
    for container in containers(resource):
        reference = container.image
        injected = INJECTED in (container.pod.metadata.get("annotations") or {})
        if (reference is None and container.partial) or (reference == "auto" and injected):
            continue
        yield Image(str(reference or ""), container.name)
    for pod in pods(resource):
        for name, volume in pod.volumes:
            if "image" in volume:
                yield Image(str(volume["image"].get("reference") or ""), f"volume {name}")
    for uri in sources(resource):
        if uri.startswith(OCI):
            yield Image(uri.removeprefix(OCI), "its model")
