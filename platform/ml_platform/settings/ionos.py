"""ml-platform:cluster for IONOS CLOUD."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import BucketName, MisfitError, Settings
from ml_platform.settings.clouds import (
    BucketSettings,
    Cidr,
    CloudCluster,
    NodePoolSettings,
    PoolName,
    check_general,
)

Location = Literal[
    "de/fra", "de/fra/1", "de/fra/2", "de/txl", "es/vit", "fr/par", "gb/bhx", "gb/lhr", "us/ewr", "us/las", "us/mci",
]  # fmt: skip
Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Patch = Annotated[str, Field(pattern=r"^1\.[0-9]{2}\.[0-9]+$", description="A version with its patch: 1.35.2.")]


class WindowSettings(Settings):
    """The begin of the weekly maintenance window, in UTC."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class IonosPoolSettings(NodePoolSettings):
    """Nodes of one size. IONOS does not change the size of nodes: add a new pool, then remove the old one."""

    cores: Annotated[int, Field(ge=1, le=62)] = 4
    memory: Annotated[int, Field(ge=2, le=230)] = 16
    """The memory of a node, in GiB."""
    storage_type: Literal["HDD", "SSD"] = "SSD"
    zone: Literal["AUTO", "ZONE_1", "ZONE_2"] = "AUTO"
    server_type: Literal["DedicatedCore", "VCPU"] = "DedicatedCore"
    cpu_family: Literal["AMD_EPYC", "INTEL_ICELAKE", "INTEL_SIERRAFOREST", "INTEL_SKYLAKE", "INTEL_XEON"] | None = None
    """The processor family of dedicated cores; without it, the one that the location has."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.minimum < 1:
            raise MisfitError("minimum", "IONOS keeps at least 1 node in a pool", self.minimum)
        if self.cpu_family and self.server_type == "VCPU":
            raise MisfitError(
                "cpu_family", "only dedicated cores have a family; remove it, or set DedicatedCore", remove=True
            )
        return self


class IonosStorageSettings(Settings):
    """IONOS Object Storage, outside of the cluster."""

    region: Literal["eu-central-3", "eu-central-4", "us-central-1"] = "eu-central-3"
    key_owner: Uuid | None = None
    """The user for whom the stack makes an access key; without it, no key is made. Pods on IONOS need a key to use
    buckets."""


class IonosRegistrySettings(Settings):
    """A container registry. Every pull needs a login."""

    location: Literal["de/fra", "de/fra/2", "de/txl", "gb/bhx", "us/mci"] = "de/fra"
    access: tuple[Cidr, ...] = ()
    """Networks that may reach the registry; without any, all networks may."""


class IonosCluster(CloudCluster):
    """Managed Kubernetes on IONOS CLOUD."""

    source: Literal["ionos"]
    version: Patch
    """The version of Kubernetes; `ionosctl k8s version list` prints those that IONOS has."""
    location: Location
    datacenter: Uuid | None = None
    """The id of an existing virtual data center; without it, the stack makes one."""
    pools: dict[PoolName, IonosPoolSettings]
    storage_class: Literal["ionos-enterprise-hdd", "ionos-enterprise-ssd"] = "ionos-enterprise-ssd"
    """The storage class of the platform's volumes."""
    maintenance: WindowSettings = WindowSettings(day="Sunday", time="03:00")
    """The maintenance window of the control plane."""
    node_maintenance: WindowSettings = WindowSettings(day="Monday", time="03:00")
    """The maintenance window of the nodes."""
    buckets: dict[BucketName, BucketSettings] = Field(default_factory=dict)
    """Buckets of Object Storage, by their names, which are unique on IONOS."""
    object_storage: IonosStorageSettings = IonosStorageSettings()
    """The region of the buckets, and the key to them."""
    registry: IonosRegistrySettings | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        check_general(self.pools)
        return self
