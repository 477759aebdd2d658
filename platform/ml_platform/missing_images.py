"""The check that the settings name all images which a stack runs: one error lists the missing ones, with commands."""

from collections.abc import Collection

import pulumi

from ml_platform.configuration import PROJECT, SettingsError


def check(needed: Collection[str], given: Collection[str], *, pulls: bool = True) -> None:
    """Refuses a stack that runs images without a reference.

    Args:
        needed: our short names of the images that the stack runs.
        given: the short names that have a reference.
        pulls: whether the cluster can pull images from the network; otherwise it has what this machine builds.

    Raises:
        SettingsError: naming all that are missing, and the commands that set them.
    """
    missing = sorted(set(needed) - set(given))
    if missing and not pulls:
        raise SettingsError(
            f"the node's registry has no {', '.join(missing)}, and this stack runs them. Have them built there with:\n"
            "  make up\nor, where the settings are in another file than the stack's own, with: make up CONFIG=<file>"
        )
    if missing:
        raise SettingsError(
            f"{PROJECT}:platform.images has no {', '.join(missing)}, and this stack runs them.\n"
            "Build them, push them to a registry of yours, and have their digests written into the stack's file with:\n"
            f"  make images REGISTRY=<host>/<path> STACK={pulumi.get_stack()}\n"
            "or name others by digest, which keep what docs/images.md says of each:\n"
            f"  pulumi config set --path '{PROJECT}:platform.images.{missing[0]}' "
            f"<registry>/{missing[0]}@sha256:<digest>"
        )
