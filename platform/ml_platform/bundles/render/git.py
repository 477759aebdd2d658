"""Checkouts of one commit of a repository, with only the paths that are needed."""

import logging
from pathlib import Path

from ml_platform.bundles.catalog import GitSource
from ml_platform.bundles.errors import BundleError, UnobtainableError
from ml_platform.bundles.render.process import find, run

log = logging.getLogger("ml_platform.bundles")


def checkout(source: GitSource, folder: Path) -> None:
    """Checks the commit out into the empty `folder`: the source's path, or for a kustomization, which may refer to its
    neighbours, all of the top folder that the path is in.

    Raises:
        UnobtainableError: git is missing, or one of its commands fails.
        BundleError: another commit was checked out.
    """
    git, url = find("git", advice="Install git."), f"https://{source.repository}"
    purpose = f"Fetching {url} at {source.ref} ({source.commit})"
    needed = source.path.split("/")[0] if source.render == "kustomize" else source.path
    log.info("%s", purpose)

    def call(*words: str) -> str:
        command = [git, "-C", str(folder), *words]
        return run(command, purpose=purpose, env={"GIT_TERMINAL_PROMPT": "0"}, error=UnobtainableError)

    call("init", "--quiet", "--template=")
    call("remote", "add", "origin", url)
    call("fetch", "--quiet", "--depth", "1", "--no-tags", "--filter=blob:none", "origin", source.commit)
    call("sparse-checkout", "set", "--no-cone", f"/{needed}")
    call("-c", "advice.detachedHead=false", "checkout", "--quiet", source.commit)
    found = call("rev-parse", "HEAD").strip()
    if found != source.commit:
        raise BundleError(f"{purpose} gave commit {found}.")
