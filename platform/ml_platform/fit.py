"""The check that the platform which the settings choose can work on its cluster.

It takes plain values only: the platform runs it before it declares anything, and the image builder before it builds.
"""

import json
from collections.abc import Collection, Iterator

from ml_platform import components, missing_images
from ml_platform.bundles import catalog, pipeline
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings


def check(
    settings: PlatformSettings, needs: Needs, *, images: Collection[str], pulls: bool, version: str | None = None
) -> None:
    """Refuses settings that can't work on the cluster.

    Args:
        settings: the platform's.
        needs: the sum of the needs of all parts of the stack.
        images: the names of the images that have a reference.
        pulls: whether the cluster can pull other images from the network.
        version: the cluster's minor version of Kubernetes; None where it is not known.

    Raises:
        SettingsError: naming the settings, the reason and the nearest possible choice; or all images that are missing.
    """
    installed = needs.installed(settings.bundles)
    try:
        catalog.check([*installed, *needs.existing(settings.bundles)])
    except BundleError as misfit:
        raise _refusal(settings, str(misfit)) from misfit
    if version and (
        problems := list(version_misfits(settings, needs, version, f"{PROJECT}:cluster.version is {version!r}"))
    ):
        raise SettingsError(problems[0])
    # Before rendering, which takes longer.
    missing_images.check(needs.own_images(settings.bundles), images, pulls=pulls)
    for entry in installed:
        found = set(_pod_images(entry, settings))  # a bundle that can't be loaded is refused here too
        if not pulls:
            _check_pods(settings, entry, found, images)


def version_misfits(settings: PlatformSettings, needs: Needs, version: str, says: str) -> Iterator[str]:
    """Messages about the releases that don't support the cluster's version of Kubernetes, which `says` tells."""
    for entry in needs.installed(settings.bundles):
        if not entry.supports(version):
            reason = (
                f"{entry.title} supports Kubernetes {entry.kubernetes}, and {says}. Change that version; or the "
                f"nearest choice that works on it: {catalog.nearest(entry, version)}"
            )
            yield str(_refusal(settings, reason))


def _check_pods(settings: PlatformSettings, entry: Entry, found: Collection[str], images: Collection[str]) -> None:
    short = {reference: name for name, reference in entry.images.items()}
    missing = sorted(reference for reference in found if short.get(reference) not in images)
    if missing:
        otherwise = f", if it can be built; else the nearest choice that works here: {entry.instead}"
        raise _refusal(
            settings,
            f"{entry.title} runs {missing[0]}, which this cluster can't pull and nobody built. Build it as well"
            f"{otherwise if entry.instead else ''}. With a reference of your own: "
            f"images.{short.get(missing[0], '<name>')}.",
        )


def _pod_images(entry: Entry, settings: PlatformSettings) -> Iterator[str]:
    for item in pipeline.load(entry, settings.bundles.folder):
        pod = item.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
            if container["image"] != "auto":
                yield container["image"]


def _refusal(settings: PlatformSettings, reason: str) -> SettingsError:
    add_ons = {each.block: each.of(settings) for each in components.add_ons()}
    versions = ", ".join(" ".join(each) for each in settings.bundles.versions.items())
    says = {
        "certificates": settings.certificates,
        "gateway.ingress": settings.gateway.ingress,
        "serving.mode": settings.serving.mode,
        **{block: json.dumps(chosen.model_dump(exclude_unset=True)) for block, chosen in add_ons.items() if chosen},
        **({"bundles.versions": versions} if versions else {}),
    }
    choice = "; ".join(f"{key}: {value}" for key, value in says.items())
    return SettingsError(f"{PROJECT}:platform can't be installed as chosen ({choice}). {reason}")
