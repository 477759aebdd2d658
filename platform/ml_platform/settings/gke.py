"""ml-platform:cluster for Google Kubernetes Engine."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import BucketName, MisfitError, Settings
from ml_platform.settings.clouds import (
    Cidr,
    CloudCluster,
    Minor,
    PoolName,
    PurposefulPoolSettings,
    SharedBucketSettings,
    check_general,
    check_processor,
)

WITH_GPUS = r"(n1|g2|g4|a2|a3|a4)-"
ARM = r"(t2a|c4a|n4a|a4x)-"


class GpuSettings(Settings):
    """The GPUs of a node."""

    type: Annotated[str, Field(pattern=r"^nvidia-[-a-z0-9]+$")]
    """The type of GPU; `gcloud compute accelerator-types list` prints those of each zone."""
    count: Literal[1, 2, 4, 8, 16] = 1


class GkePoolSettings(PurposefulPoolSettings):
    """Nodes of one machine type, with a purpose."""

    machine: Annotated[str, Field(pattern=r"^[a-z][0-9]+[a-z]*-[a-z]+(-[a-z0-9]+)*$")] = "e2-standard-4"
    """The machine type; `gcloud compute machine-types list` prints those of each zone."""
    gpu: GpuSettings | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check_processor(self.machine, ARM)
        if (self.purpose == "gpu") != (self.gpu is not None):
            raise MisfitError("gpu", "it goes together with purpose: gpu")
        if self.gpu and not re.match(WITH_GPUS, self.machine):
            raise MisfitError("machine", "only n1, g2, g4, a2, a3 and a4 machines have GPUs", self.machine)
        return self


class GkeNetworkSettings(Settings):
    """Address ranges of the cluster's own network. They must not overlap with networks that it is connected to."""

    nodes: Cidr = "10.0.0.0/20"
    pods: Cidr = "10.16.0.0/14"
    services: Cidr = "10.1.0.0/20"
    control_plane: Annotated[Cidr, Field(pattern=r"/28$")] = "172.16.0.0/28"


class GkeCluster(CloudCluster):
    """Google Kubernetes Engine: nodes without public addresses, in a network of their own."""

    source: Literal["gke"]
    project: Annotated[str, Field(pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$")]
    """The id of the Google Cloud project, which differs from its name and its number."""
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]+$")]
    """The Google Cloud region; `gcloud compute regions list` prints all."""
    zones: tuple[Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]+-[a-z]$")], ...] = ()
    """Zones of the nodes; without any, Google chooses three."""
    version: Minor
    """The minor version of Kubernetes that the cluster is made with; its release channel raises it later."""
    channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    maintenance: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:00"
    """The begin of the daily maintenance window, in UTC."""
    network: GkeNetworkSettings = GkeNetworkSettings()
    pools: dict[PoolName, GkePoolSettings]
    storage_class: Literal["standard-rwo", "premium-rwo", "standard"] = "standard-rwo"
    """The storage class of the platform's volumes."""
    buckets: dict[BucketName, SharedBucketSettings] = Field(default_factory=dict)
    """Buckets of Cloud Storage, by their names, which are unique in the world."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        check_general(self.pools)
        for zone in self.zones:
            if not zone.startswith(f"{self.region}-"):
                raise MisfitError("zones", f"zone {zone} is not in region {self.region}")
        return self
