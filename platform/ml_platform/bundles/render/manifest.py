"""Release assets: files that upstream publishes beside its tags.

Only a digest pins them: the one in the catalog, or the one that the command `lock` recorded in the catalog's lock.
"""

import hashlib
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Mapping

from ml_platform.bundles.catalog import RELEASES, ManifestSource, Part
from ml_platform.bundles.errors import BundleError, UnobtainableError

log = logging.getLogger("ml_platform.bundles")
LOCK = RELEASES / "lock.json"
TIMEOUT = 30.0


def download(part: Part, source: ManifestSource) -> str:
    """The text of the asset.

    Raises:
        BundleError: the asset has another digest than the recorded one.
        UnobtainableError: it can't be fetched.
    """
    content = fetch(source.url)
    found, wanted = hashlib.sha256(content).hexdigest(), recorded(part, source)
    if wanted is None:
        log.warning("no digest is recorded for %s; `lock` records it", source.url)
    elif found != wanted:
        raise BundleError(
            f"{source.url} has sha256\n  {found}, but recorded is\n  {wanted}.\n"
            "The asset was replaced under the same name: don't use it before you know why."
        )
    return content.decode()


def recorded(part: Part, source: ManifestSource) -> str | None:
    """The sha256 of the asset in the catalog, or in its lock; None if neither has one."""
    return source.sha256 or locked().get(key(part))


def key(part: Part) -> str:
    return f"{part.name}@{part.version}"


def locked() -> Mapping[str, str]:
    """The digests in the catalog's lock."""
    found: dict[str, str] = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    return found


def record(digests: Mapping[str, str]) -> None:
    """Adds digests to the catalog's lock; existing ones stay."""
    LOCK.write_text(json.dumps({**digests, **locked()}, indent=2, sort_keys=True) + "\n")


def digest(source: ManifestSource) -> str:
    """The sha256 of the asset as it is published now."""
    return hashlib.sha256(fetch(source.url)).hexdigest()


def fetch(url: str) -> bytes:
    """The content of `url`.

    Raises:
        UnobtainableError: it can't be fetched.
    """
    log.info("Fetching %s", url)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310 - the model allows only https
            content: bytes = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise UnobtainableError(f"Fetching {url} failed: {getattr(error, 'reason', error)}.") from error
    return content
