"""Bundles that leave the settings while the cluster has objects of their kinds: nothing would act on these any more."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_platform.bundles import catalog
from ml_platform.bundles.discovery import served
from ml_platform.bundles.drain import listed
from ml_platform.bundles.kinds import DEFINITION
from ml_platform.bundles.pipeline import load
from ml_platform.bundles.preflight.owners import Metadata, ours
from ml_platform.kube import Client

NAMED = 10  # objects in a finding


def bundles(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, str]:
    """The bundles, with their versions, that the stack has installed and that its settings do not name any more."""
    kept = {*news["entries"], *news["existing"]}
    return {name: version for name, version in (olds.get("entries") or {}).items() if name not in kept}


def findings(client: Client, gone: Mapping[str, str], mirror: str, labels: Mapping[str, str]) -> Iterator[str]:
    """A finding for each bundle among `gone` whose kinds somebody has objects of. Objects of the stack go with it, and
    those that a controller has made go with what it made them for."""
    for name, version in gone.items():
        entry = catalog.entry(name, version)
        objects = load(entry, Path(mirror) if mirror else None)
        kinds = [item["metadata"]["name"] for item in objects if item["kind"] == DEFINITION]
        lists = served(client, [*kinds, *entry.own_definitions])
        held = [
            f"{kind} {_place(each)}"
            for kind, path in sorted(lists.items())
            for each in listed(client, path)
            if not ours(each, labels) and not _controlled(each)
        ]
        if held:
            more = f" and {len(held) - NAMED} more" if len(held) > NAMED else ""
            yield (
                f"{entry.title} leaves the settings, and the cluster still has objects of its kinds, which nothing "
                f"would act on any more: {', '.join(held[:NAMED])}{more}. Delete them, or keep {name}."
            )


def _place(metadata: Metadata) -> str:
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _controlled(metadata: Metadata) -> bool:
    return any(owner.get("controller") for owner in metadata.get("ownerReferences") or [])
