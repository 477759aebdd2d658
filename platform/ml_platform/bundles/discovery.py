"""Which CRDs a cluster serves, and where. By discovery: to read a CRD, which can be a megabyte, costs it far more."""

from collections.abc import Iterable

from ml_platform.bundles.parallel import each
from ml_platform.kube import Client, NotFound


def served(client: Client, definitions: Iterable[str]) -> dict[str, str]:
    """CRDs, <plural>.<group>, by the path where their objects are listed; without those that are not served (yet)."""
    names = list(definitions)
    groups = sorted({name.partition(".")[2] for name in names})
    paths = dict(zip(groups, each(lambda group: _resources(client, group), groups), strict=True))
    split = ((name, *name.split(".", 1)) for name in names)
    return {name: paths[group][plural] for name, plural, group in split if plural in paths[group]}


def _resources(client: Client, group: str) -> dict[str, str]:
    """Plural -> path in the first version that has it."""
    paths: dict[str, str] = {}
    try:
        for version in client.request("GET", f"/apis/{group}")["versions"]:
            root = f"/apis/{version['groupVersion']}"
            for resource in client.request("GET", root)["resources"]:
                paths.setdefault(resource["name"], f"{root}/{resource['name']}")
    except NotFound:
        return {}
    return paths
