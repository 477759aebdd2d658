"""What a stack file asks for: the images that have to be there before `pulumi up` is.

Owns the reading of such a file and what is said of a bad one. What its settings mean, and whether
they go together, is known to ml_platform and ml_workloads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ml_platform import components, fit, yaml_text
from ml_platform.bundles.errors import BundleError
from ml_platform.configuration import PROJECT, SettingsError, validate
from ml_platform.settings import (
    AnyCluster,
    ClusterSettings,
    LocalCluster,
    OwnershipSettings,
    PlatformSettings,
    SharedPlatform,
    platform_of,
)
from ml_workloads import packages
from ml_workloads.capabilities import check_blocks, spark_operator
from ml_workloads.settings import WorkloadsSettings

from ml_local import images, layers, paths, stack
from ml_local.errors import LocalError

BLOCKS = ("cluster", "ownership", "platform", "workloads")


@dataclass(frozen=True, kw_only=True)
class _Settings:
    cluster: AnyCluster
    platform: PlatformSettings | SharedPlatform | None
    work: WorkloadsSettings
    layers: Mapping[str, packages.Layer]

    @property
    def work_images(self) -> frozenset[str]:
        return frozenset(self.work.needs(spark_operator(self.platform)).images) | self.layers.keys()


def wanted(file: Path) -> tuple[str, ...]:
    """The images that the node, the file's platform and its work need, in the order of their table, layers after it.
    The lists of the layers are kept in the cache, by which they are built.

    Raises:
        LocalError: the file can't be read, asks for what is not allowed, or for what can't be built here.
    """
    found = _settings(file, _unsealed(file, _blocks(file)))
    cluster, settings = found.cluster, found.platform
    if isinstance(cluster, LocalCluster) and isinstance(settings, PlatformSettings):
        try:
            built = {*images.table(), *settings.images}
            fit.check(_with_mirror(settings), components.needs(settings), images=built, pulls=False)
        except (SettingsError, BundleError) as refused:
            raise LocalError(f"{file}: {refused}") from refused
    if not isinstance(cluster, LocalCluster):
        raise LocalError(
            f"{file} is for a cluster with `source: {cluster.source}`, and `make up` starts this machine's own. Set "
            f"{PROJECT}:cluster to {{source: local}}, or use plain `pulumi up --config-file {file}`"
        )
    if not isinstance(settings, PlatformSettings):
        raise LocalError(
            f"{file} takes the platform of another stack, and `make up` brings up one of its own. Take "
            f"{PROJECT}:platform.source out, or use plain `pulumi up --config-file {file}` on a stack beside that one"
        )
    _check_bases(file, found.layers, settings.images)
    return _buildable(
        (components.needs(settings).all_images(settings.bundles) | found.work_images) - set(settings.images)
    )


def images_of(file: Path) -> tuple[frozenset[str], Mapping[str, str]]:
    """Of a stack on any cluster, the images of ours that its platform and its work run, and the references it has. The
    lists of the layers are kept in the cache.

    Raises:
        LocalError: the file can't be read, or asks for what is not allowed.
    """
    found = _settings(file, _blocks(file))
    platform = found.platform
    if platform is None:
        raise LocalError(
            f"{file} has no {PROJECT}:platform, so nothing of its stack runs an image of ours. Name the stack whose "
            "platform is on that cluster"
        )
    return _own_images(platform) | found.work_images, platform.images


def default_images() -> frozenset[str]:
    """The images of ours that a platform runs about which nothing is said."""
    return _own_images(PlatformSettings())


def _own_images(platform: PlatformSettings | SharedPlatform) -> frozenset[str]:
    if isinstance(platform, SharedPlatform):
        return frozenset()
    return components.needs(platform).own_images(platform.bundles)


def _settings(file: Path, blocks: Mapping[str, Any]) -> _Settings:
    try:
        validate("ownership", blocks.get("ownership", {}), OwnershipSettings)
        work = validate("workloads", blocks.get("workloads", {}), WorkloadsSettings)
        found = _Settings(
            cluster=validate("cluster", blocks.get("cluster", {}), ClusterSettings).root,
            platform=platform_of(blocks.get("platform")),
            work=work,
            layers=packages.layers(work, paths.checkout()),
        )
        check_blocks(found.cluster, found.platform, found.work)
    except SettingsError as refused:
        raise LocalError(f"{file}: {refused}") from refused
    layers.keep(found.layers)
    return found


def _check_bases(file: Path, needed: Mapping[str, packages.Layer], given: Mapping[str, str]) -> None:
    """Refuses layers on images of others, which are not on this machine."""
    for name, layer in needed.items():
        if layer.base in given and name not in given:
            raise LocalError(
                f"{file}: a model has packages of its own, and {PROJECT}:platform.images.{layer.base} is an image of "
                f"others, on which this machine builds nothing. Name their layer too, as {PROJECT}:platform.images."
                f"{name}, or take {layer.base} out"
            )


def gateway(file: Path) -> list[tuple[str, int]]:
    """The addresses and ports of this machine that lead to the gateway of a file that `wanted` accepts."""
    settings = platform_of(_blocks(file).get("platform"))
    if not isinstance(settings, PlatformSettings):
        return []
    way_in = settings.gateway
    ports = (way_in.host_port, way_in.https.host_port if way_in.https else None)
    return [(way_in.bind, port) for port in ports if port]


def _with_mirror(settings: PlatformSettings) -> PlatformSettings:
    """The settings with the mirror that the environment of `pulumi up` names."""
    mirror = settings.bundles.mirror or paths.mirror()
    bundles = settings.bundles.model_copy(update={"mirror": str(mirror) if mirror else None})
    return settings.model_copy(update={"bundles": bundles})


def _buildable(names: Collection[str]) -> tuple[str, ...]:
    ours = (name for name, image in images.table().items() if name in names or image.tag)
    return (*ours, *sorted(name for name in names if layers.lists(name)))


def _blocks(file: Path) -> dict[str, Any]:
    """The structured keys under `config:`, without the project's name."""
    try:
        content = yaml_text.load(file.read_text())
    except OSError as missing:
        raise LocalError(
            f"{file} can't be read: {missing.strerror}. CONFIG=FILE takes a stack file like {stack.stack_file()}"
        ) from missing
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise LocalError(f"{file} is not YAML: {broken}") from broken
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        raise LocalError(
            f"{file} has no `config:` with settings. CONFIG=FILE takes a stack file like {stack.stack_file()}"
        )
    blocks = {str(key).removeprefix(f"{PROJECT}:"): value for key, value in config.items()}
    mappings = (
        key for key, value in blocks.items() if isinstance(value, dict) and ":" not in key and not _sealed(value)
    )
    if unknown := next((key for key in mappings if key not in BLOCKS), None):
        raise LocalError(f"{file}: {PROJECT}:{unknown} is no block of settings; there are {', '.join(BLOCKS)}")
    return blocks


def _unsealed(file: Path, blocks: Mapping[str, Any]) -> Mapping[str, Any]:
    if sealed := next((key for key, value in blocks.items() if _sealed(value)), None):
        key = sealed if ":" in sealed else f"{PROJECT}:{sealed}"
        raise LocalError(f"{file}: {key} is sealed with another stack's passphrase. Leave it out of this file")
    return blocks


def _sealed(value: object) -> bool:
    return isinstance(value, dict) and "secure" in value
