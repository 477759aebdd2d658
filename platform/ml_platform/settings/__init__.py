"""The operator's contract: what ml-platform:cluster and ml-platform:platform may say.

Plain values that decide what exists. Secrets are never in here: they are keys of their own, read as Outputs.
"""

import pulumi

from ml_platform.configuration import read
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
from ml_platform.settings.platform import PlatformSettings
from ml_platform.settings.services import MLflowSettings, ObjectStoreSettings, PostgresSettings
from ml_platform.settings.tls import AcmeSettings, AnyDns, TlsSettings
from ml_platform.settings.work import RaySettings, ServingSettings, SparkSettings, TrainingSettings

__all__ = [
    "AcmeSettings", "AnyCluster", "AnyDns", "BundlesSettings", "ClusterSettings", "EksCluster", "ExistingCluster",
    "GatewaySettings", "GkeCluster", "IonosCluster", "JwtSettings", "LoadBalancerSettings", "LocalCluster",
    "MLflowSettings", "ObjectStoreSettings", "PlatformSettings", "PostgresSettings", "RaySettings", "ServingSettings",
    "SparkSettings", "StackOutput", "TlsSettings", "TrainingSettings", "load_cluster", "load_platform",
]  # fmt: skip


def load_cluster(config: pulumi.Config) -> AnyCluster:
    return read(config, "cluster", ClusterSettings).root


def load_platform(config: pulumi.Config) -> PlatformSettings:
    return read(config, "platform", PlatformSettings)
