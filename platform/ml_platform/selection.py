"""What the settings choose: bundles and images by name, and whether that choice can work.

Plain values alone: the composer asks before it declares anything, and what builds images before it builds any.
"""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from ml_platform import missing_images
from ml_platform.bundles import catalog, pipeline
from ml_platform.bundles.catalog import Entry
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.components import object_store, postgres, traefik
from ml_platform.components.spark import STACKABLE
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.settings import PlatformSettings

ISTIO = ("istio-base", "istiod", "istio-gateway")
GATEWAY, STORAGE, TRACKING = "gateway", "storage", "mlflow"
"""Namespaces of components that are no bundles."""
OWN_IMAGES = frozenset({"mlflow", "mlserver", "postgres", "training", "versitygw"})


def bundle_names(settings: PlatformSettings) -> Iterator[str]:
    """All bundles that the settings call for, what a bundle needs before it."""
    istio, knative = settings.gateway.ingress == "istio", settings.serving.mode == "knative"
    if settings.certificates == "cert-manager":
        yield "cert-manager"
    if istio or not knative:
        yield "gateway-api"
    if istio:
        yield from ISTIO
    if knative:
        yield "knative-serving"
    if knative and istio:
        yield "net-istio"
    yield "kserve"
    if settings.spark:
        yield from STACKABLE if settings.spark.operator == "stackable" else ("spark-operator",)
    if settings.ray:
        yield "kuberay"
    if settings.training.v2:
        yield from ("jobset", "trainer")
    if settings.training.v1:
        yield "training-operator"


def bundles(settings: PlatformSettings) -> tuple[Entry, ...]:
    """The releases that the stack installs: not those that somebody else runs."""
    return tuple(each for each in _chosen(settings) if each.name not in settings.bundles.existing)


def existing(settings: PlatformSettings) -> tuple[Entry, ...]:
    """The releases that somebody else runs, and that are used."""
    return tuple(each for each in _chosen(settings) if each.name in settings.bundles.existing)


def own(settings: PlatformSettings) -> list[Object]:
    """What belongs to no bundle and stands outside of any namespace, by kind and name: what could be taken already."""
    jobs = [settings.spark.namespace] if settings.spark else []
    found = [namespace(name) for name in (*storage(settings), TRACKING, *jobs)]
    if settings.gateway.ingress == "traefik":
        found += [namespace(GATEWAY), _named("networking.k8s.io/v1", "IngressClass", traefik.CLASS)]
    return found


def storage(settings: PlatformSettings) -> list[str]:
    """The namespace of the object store, if the platform runs one."""
    return [STORAGE] if settings.object_store.source == "own" else []


def sized(settings: PlatformSettings, volume_size: str | None) -> PlatformSettings:
    """The settings as the cluster takes them: where sizes limit nothing, all volumes have the same."""
    if volume_size is None:
        return settings
    blocks = {"postgres": settings.postgres, "object_store": settings.object_store}
    return settings.model_copy(
        update={name: block.model_copy(update={"storage": volume_size}) for name, block in blocks.items()}
    )


def volumes(settings: PlatformSettings) -> list[Volume]:
    """The volumes of the platform's own servers, as the settings want them."""
    database, objects = settings.postgres.storage, settings.object_store.storage
    own = [Volume(setting="postgres.storage", namespace=TRACKING, claim=postgres.CLAIM, size=database)]
    if storage(settings):
        own.append(Volume(setting="object_store.storage", namespace=STORAGE, claim=object_store.CLAIM, size=objects))
    return own


def namespace(name: str) -> Object:
    return _named("v1", "Namespace", name)


def image_names(settings: PlatformSettings) -> frozenset[str]:
    """Our short names of all images that the platform and the jobs on it may run."""
    spark = {"spark"} if settings.spark else set()
    return required(settings).union(spark, *(entry.images for entry in bundles(settings)))


def required(settings: PlatformSettings) -> frozenset[str]:
    """Images that only we have: our own, and those of lean releases."""
    traefik = {"traefik"} if settings.gateway.ingress == "traefik" else set()
    foreign = set() if storage(settings) else {"versitygw"}
    lean = {name for entry in bundles(settings) for name, reference in entry.images.items() if name == reference}
    return OWN_IMAGES - foreign | traefik | lean


def check(
    settings: PlatformSettings,
    *,
    images: Collection[str],
    pulls: bool,
    version: str | None = None,
    more: Collection[str] = (),
) -> None:
    """Refuses what can't work on a cluster of `version`, if that is known, that has `images`, and that `pulls` others
    or does not. `more` are images that something beside the platform's components needs: the cluster, and the work.

    Raises:
        SettingsError: naming the settings, the reason and the nearest possible choice; or all images that are missing.
    """
    chosen = _chosen(settings)
    try:
        catalog.check(chosen)
    except BundleError as misfit:
        raise _refusal(settings, str(misfit)) from misfit
    for entry in bundles(settings):
        if version and not entry.supports(version):
            raise _refusal(
                settings,
                f"{entry.title} supports Kubernetes {entry.kubernetes}, and {PROJECT}:cluster.version is {version!r}. "
                f"Change that version; or the nearest choice that works on it: {catalog.nearest(entry, version)}",
            )
    missing_images.check(required(settings).union(more), images, version)  # before anything is rendered
    for entry in bundles(settings):
        found = set(_pod_images(entry, mirror(settings)))  # what can't be loaded is refused here as well
        if not pulls:
            _check_pods(settings, entry, found, images)


def mirror(settings: PlatformSettings) -> Path | None:
    """Where releases are looked for before the network."""
    folder = settings.bundles.mirror or os.environ.get("ML_PLATFORM_MIRROR")
    return Path(folder).expanduser() if folder else None


def _chosen(settings: PlatformSettings) -> tuple[Entry, ...]:
    return tuple(catalog.entry(name, settings.bundles.versions.get(name)) for name in bundle_names(settings))


def _named(api_version: str, kind: str, name: str) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


def _check_pods(settings: PlatformSettings, entry: Entry, found: Collection[str], images: Collection[str]) -> None:
    short = {reference: name for name, reference in entry.images.items()}
    lost = sorted(reference for reference in found if short.get(reference) not in images)
    if lost:
        raise _refusal(
            settings,
            f"{entry.title} runs {lost[0]}, which this cluster can't pull and nobody built. Build it as well"
            + (
                f", if it can be built; else the nearest choice that works here: {entry.instead}"
                if entry.instead
                else ""
            )
            + f". With a reference of your own: images.{short.get(lost[0], '<name>')}.",
        )


def _pod_images(entry: Entry, folder: Path | None) -> Iterator[str]:
    for item in pipeline.load(entry, folder):
        pod = item.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*pod.get("containers", ()), *pod.get("initContainers", ())):
            if container["image"] != "auto":
                yield container["image"]


def _refusal(settings: PlatformSettings, reason: str) -> SettingsError:
    says = {
        "certificates": settings.certificates,
        "gateway.ingress": settings.gateway.ingress,
        "serving.mode": settings.serving.mode,
        "spark.operator": settings.spark.operator if settings.spark else None,
        "ray": "{}" if settings.ray else None,
        "training": ", ".join(each for each in ("v1", "v2") if getattr(settings.training, each)) or None,
        "bundles.versions": ", ".join(" ".join(each) for each in settings.bundles.versions.items()) or None,
    }
    choice = "; ".join(f"{key}: {value}" for key, value in says.items() if value)
    return SettingsError(f"{PROJECT}:platform can't be installed as chosen ({choice}). {reason}")
