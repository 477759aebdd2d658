"""Which CRDs a cluster serves, and where. API discovery tells it far more cheaply than reading CRDs, which can be a
megabyte each."""

from collections.abc import Iterable

from ml_platform.bundles.parallel import each
from ml_platform.kube import Client, NotFound


def served(client: Client, definitions: Iterable[str]) -> dict[str, str]:
    """CRD, <plural>.<group> -> the path where its objects are listed; CRDs that are not served (yet) are left out."""
    names = list(definitions)
    groups = sorted({name.partition(".")[2] for name in names})
    paths = dict(zip(groups, each(lambda group: _resources(client, group), groups), strict=True))
    split = ((name, *name.split(".", 1)) for name in names)
    return {name: paths[group][plural] for name, plural, group in split if plural in paths[group]}


def _resources(client: Client, group: str) -> dict[str, str]:
    """Plural -> path in the first version that serves it."""
    paths: dict[str, str] = {}
    try:
        for version in client.request("GET", f"/apis/{group}")["versions"]:
            root = f"/apis/{version['groupVersion']}"
            for resource in client.request("GET", root)["resources"]:
                paths.setdefault(resource["name"], f"{root}/{resource['name']}")
    except NotFound:
        return {}
    return paths
