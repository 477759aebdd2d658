"""The objects that the bundles of one program have declared so far: an object belongs to one bundle, a namespace to
the first of the bundles that share it.

Releases overlap: several live in one namespace, some contain a copy of another. Without this check the second create
would fail, with half of the stack on the cluster.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi

from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.kinds import group
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.metadata import ENFORCE

_LEVELS = ("restricted", "baseline", "privileged")


@dataclass(frozen=True)
class SharedNamespace:
    bundle: str
    labels: Mapping[str, str]
    resource: pulumi.Resource
    retained: bool


class Declared:
    """One instance, part of the installation, serves all bundles of a program."""

    def __init__(self) -> None:
        self.namespaces: dict[str, SharedNamespace] = {}
        self._owners: dict[tuple[str, str, str, str], str] = {}

    def claim(self, bundle: str, items: Iterable[Object]) -> None:
        """Records the objects as those of `bundle`; bundles may share a namespace.

        Raises:
            BundleError: another bundle has declared one of the objects, or has declared a namespace without a label or
                the pod security level that `bundle` needs.
        """
        for item in items:
            if item["kind"] == "Namespace":
                self._share(bundle, item)
                continue
            owner = self._owners.setdefault(_key(item), bundle)
            if owner != bundle:
                raise BundleError(
                    f"Bundles {owner!r} and {bundle!r} both declare {item['kind']} {_path(item)}: leave one of the "
                    f"bundles out, or drop the object from one of them by a rule in the catalog."
                )

    def _share(self, bundle: str, namespace: Object) -> None:
        first = self.namespaces.get(namespace["metadata"]["name"])
        wanted = dict(namespace["metadata"].get("labels") or {})
        if first is None:
            return
        level, given = wanted.pop(ENFORCE, "restricted"), first.labels.get(ENFORCE, "privileged")
        missing = {key: value for key, value in wanted.items() if first.labels.get(key) != value}
        if missing or _LEVELS.index(level) > _LEVELS.index(given):
            need = ", ".join(f"{key}={value}" for key, value in missing.items()) or f"{ENFORCE}={level}"
            raise BundleError(
                f"Namespace {namespace['metadata']['name']!r} is declared by bundle {first.bundle!r} without {need}, "
                f"which bundle {bundle!r} needs: give the first one of them in the catalog what both need."
            )


def _key(item: Object) -> tuple[str, str, str, str]:
    metadata = item["metadata"]
    return group(item), item["kind"], metadata.get("namespace", ""), metadata["name"]


def _path(item: Object) -> str:
    metadata = item["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
