"""The check that the settings name all images which a stack runs: one error lists the missing ones, with commands."""

from collections.abc import Collection, Iterator

import pulumi

from ml_platform.clusters.cluster import AUTOSCALER
from ml_platform.configuration import PROJECT, SettingsError

UPSTREAM = "registry.k8s.io/autoscaling/cluster-autoscaler"


def check(needed: Collection[str], given: Collection[str], version: str | None = None) -> None:
    """Refuses a stack that runs images without a reference.

    Args:
        needed: our short names of the images that the stack runs.
        given: the short names that have a reference.
        version: the cluster's minor version of Kubernetes, which the autoscaler's image must have too.

    Raises:
        SettingsError: naming all that are missing, and the commands that set them.
    """
    missing = sorted(set(needed) - set(given))
    if missing:
        raise SettingsError("\n".join(_advice(missing, version)))


def _advice(missing: Collection[str], version: str | None) -> Iterator[str]:
    yield f"{PROJECT}:platform.images has no {', '.join(missing)}, and this stack runs them."
    if ours := [name for name in missing if name != AUTOSCALER]:
        yield (
            "Build them, push them to a registry of yours, and have their digests written into the stack's file with:\n"
            f"  make images REGISTRY=<host>/<path> STACK={pulumi.get_stack()}\n"
            "or name others by digest, which keep what docs/images.md says of each:\n"
            f"  {_set(ours[0], f'<registry>/{ours[0]}@sha256:<digest>')}"
        )
    if AUTOSCALER in missing:
        yield (
            f"{AUTOSCALER} scales pools of {PROJECT}:cluster.pools whose minimum is below their maximum. It is "
            "upstream's, of the cluster's own minor version:\n"
            f"  docker buildx imagetools inspect {UPSTREAM}:v{version}.0 --format '{{{{.Manifest.Digest}}}}'\n"
            f"  {_set(AUTOSCALER, f'{UPSTREAM}@<that digest>')}\n"
            "or have each pool as many nodes at least as at most"
        )


def _set(name: str, reference: str) -> str:
    return f"pulumi config set --path '{PROJECT}:platform.images.{name}' {reference}"
