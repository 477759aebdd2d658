"""The operator's contract: the models of ml-platform:cluster, ml-platform:platform and ml-platform:ownership.

They are plain values that decide which resources exist. Secrets are keys of their own, which are read as Outputs.
"""

import gc
import os
from collections.abc import Mapping

import pulumi

from ml_platform.configuration import given, read, validate
from ml_platform.settings.bundles import BundlesSettings
from ml_platform.settings.cluster import (
    AnyCluster,
    ClusterSettings,
    ExistingCluster,
    LoadBalancerSettings,
    LocalCluster,
    StackOutput,
)
from ml_platform.settings.eks import EksCluster
from ml_platform.settings.gateway import GatewaySettings, JwtSettings
from ml_platform.settings.gke import GkeCluster
from ml_platform.settings.ionos import IonosCluster
from ml_platform.settings.ownership import OwnershipSettings
from ml_platform.settings.platform import PlatformSettings, with_add_ons
from ml_platform.settings.services import MLflowSettings, ObjectStoreSettings, PostgresSettings
from ml_platform.settings.serving import ServingSettings
from ml_platform.settings.stack import SharedPlatform, StackCluster
from ml_platform.settings.tls import AcmeSettings, AnyDns, TlsSettings

__all__ = [
    "AcmeSettings", "AnyCluster", "AnyDns", "BundlesSettings", "ClusterSettings", "EksCluster", "ExistingCluster",
    "GatewaySettings", "GkeCluster", "IonosCluster", "JwtSettings", "LoadBalancerSettings", "LocalCluster",
    "MLflowSettings", "ObjectStoreSettings", "OwnershipSettings", "PlatformSettings", "PostgresSettings",
    "ServingSettings", "SharedPlatform", "StackCluster", "StackOutput", "TlsSettings", "begin", "load_cluster",
    "load_ownership", "load_platform", "platform_model", "platform_of",
]  # fmt: skip

DEBUG = "ML_PLATFORM_DEBUG"


def begin() -> pulumi.Config:
    """The stack's configuration. It also makes the run faster, in two ways.

    Garbage collection is off from here on: it takes an eighth of the processor time and would free 3 MiB of what 500
    objects take. The SDK sends its debug messages, four for each resource, to the engine only where ML_PLATFORM_DEBUG
    is set, since it waits for each of them.
    """
    gc.disable()
    if not os.environ.get(DEBUG):
        pulumi.log.debug = _not_sent
    return pulumi.Config()


def _not_sent(*_: object, **__: object) -> None:
    return


def load_cluster(config: pulumi.Config) -> AnyCluster:
    return read(config, "cluster", ClusterSettings).root


def load_platform(config: pulumi.Config) -> PlatformSettings | SharedPlatform | None:
    return platform_of(given(config, "platform"))


def platform_of(block: object) -> PlatformSettings | SharedPlatform | None:
    """The block ml-platform:platform as settings; None where there is none, since that stack has no platform."""
    return None if block is None else validate("platform", block, platform_model(block))


def platform_model(block: object) -> type[PlatformSettings | SharedPlatform]:
    """The model of the block ml-platform:platform: a block with a `source` is about the platform of another stack."""
    if isinstance(block, Mapping) and "source" in block:
        return SharedPlatform
    from ml_platform import components  # here, since components import these settings

    return with_add_ons(components.add_ons())


def load_ownership(config: pulumi.Config) -> OwnershipSettings:
    return read(config, "ownership", OwnershipSettings)
