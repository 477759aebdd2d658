"""A resource as policies see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ml_policies.engine.values import UnknownError, without_nulls

BUNDLE = "ml-platform:bundles:Bundle"


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    type: str
    name: str
    props: Mapping[str, Any]
    urn: str = ""
    parent: str = ""
    protect: bool = False
    depends: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The resources whose outputs it takes, by its properties; known when all are declared."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "props", without_nulls(self.props))

    @cached_property
    def kubernetes(self) -> bool:
        return self.type.startswith("kubernetes:")

    @cached_property
    def patch(self) -> bool:
        """Whether it says a part of an object only, over what is there."""
        return self.kubernetes and self.type.endswith("Patch")

    @cached_property
    def kind(self) -> str:
        """Of a Kubernetes object, by its type where it doesn't say; of anything else nothing."""
        if not self.kubernetes:
            return ""
        return str(self.props.get("kind") or self.type.rpartition(":")[2].removesuffix("Patch"))

    @cached_property
    def group(self) -> str:
        """The API group of a Kubernetes object; nothing for the core's."""
        version = str(self.props.get("apiVersion") or self.type.split(":")[1]) if self.kubernetes else ""
        group = version.rpartition("/")[0]
        return "" if group == "core" else group

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        found = self.props.get("metadata")
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def namespace(self) -> str:
        return str(self.metadata.get("namespace") or "")

    @cached_property
    def labels(self) -> Mapping[str, Any]:
        return self.metadata.get("labels") or {}

    @cached_property
    def annotations(self) -> Mapping[str, Any]:
        return self.metadata.get("annotations") or {}

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        return self.props.get("spec") or {}

    @cached_property
    def title(self) -> str:
        """How reports and exemptions name it: Deployment models/iris, or gcp:container/nodePool:NodePool spot."""
        try:
            if self.kubernetes:
                place = f"{self.namespace}/" if self.namespace else ""
                return f"{self.kind} {place}{self.metadata.get('name') or self.name}"
        except UnknownError:
            return f"{self.kind} {self.name}"
        return f"{self.type} {self.name}"

    @cached_property
    def bundle(self) -> str:
        """The bundle of a foreign release that it belongs to, if any: such text is pinned, not written here."""
        kinds, _, name = self.parent.rpartition("::")
        return name if kinds.endswith(BUNDLE) else ""
