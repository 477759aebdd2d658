"""Whether images come out the same when they are built again from the same inputs.

Each is built in an empty folder, on the very base that the first build is on, from the Go commands and the downloads
that there are. What is built is the business of ml_local, how two images differ that of differences.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

from ml_local import image_builder, images, layers, lock, paths
from ml_local.errors import LocalError
from ml_local.image_builder import Builder

from ml_supply import differences


def names(given: Sequence[str], everything: bool) -> list[str]:
    """The images to build again: those given, all that are built, or those of them that fetch nothing.

    Raises:
        LocalError: an image is not built, or none is.
    """
    if missing := [name for name in given if not images.built_digest(name)]:
        raise LocalError(f"not built as declared now: {', '.join(missing)}; run `make build`, then again")
    if given:
        return list(given)
    table = images.table()
    quick = [name for name, image in table.items() if not image.fetches]  # layers fetch, each
    chosen = [images.DEBIAN, *table, *layers.names()] if everything else quick
    chosen = [name for name in chosen if images.built_digest(name)]
    if not chosen:
        raise LocalError("no image is built here; run `make build`, then again")
    return chosen


def compared(chosen: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each image, built again, with its differences from the first build.

    Raises:
        LocalError: a build failed.
    """
    first, again = image_builder.cached(), Builder(paths.cache() / "again")
    with lock.building("make supply DO=reproduce"):
        try:
            for name in chosen:
                shutil.rmtree(again.folder, ignore_errors=True)
                digests = images.built_digest(name) or "", images.build_again(name, again)
                same = digests[0] == digests[1]
                yield name, [] if same else differences.between((first.layout, digests[0]), (again.layout, digests[1]))
        finally:
            shutil.rmtree(again.folder, ignore_errors=True)
