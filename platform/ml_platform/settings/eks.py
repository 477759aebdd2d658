"""ml-platform:cluster for Amazon Elastic Kubernetes Service."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import BucketName, ImageReference, MisfitError, Name
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

WITH_GPUS = r"[gp][0-9r]"
# Families of Graviton have a g behind their number, a1 was the first of them; machines of Grace end in gb and a number.
ARM = r"(a1|[a-z]+[0-9]+[a-z]*g[a-z]*|[a-z]+[0-9]+[a-z]*-gb[0-9]+)\."
Addon = Literal["aws-ebs-csi-driver", "coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"]
AddonVersion = Annotated[str, Field(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$")]
System = Literal["al2023", "bottlerocket"]
Release = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+-[0-9a-f]{8}$")]
ZoneId = Annotated[str, Field(pattern=r"^Z[A-Z0-9]{5,31}$")]
"""The id of a hosted zone; `aws route53 list-hosted-zones` prints it behind /hostedzone/."""
MLFLOW = ("mlflow/mlflow",)
"""The service account of MLflow's pods."""
Letter = Annotated[str, Field(pattern=r"^[a-f]$")]


class EksPoolSettings(PurposefulPoolSettings):
    """Nodes of one machine type, with a purpose. Where `minimum` is below `maximum`, the cluster autoscaler scales the
    pool between them; `autoscaler` of the cluster names its image."""

    machine: Annotated[str, Field(pattern=r"^[a-z]+[0-9]+[-a-z0-9]*\.([0-9]*x?large|medium|small|metal[-0-9a-z]*)$")]
    """The instance type; `aws ec2 describe-instance-type-offerings` prints those of a region."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check_processor(self.machine, ARM)
        if (self.purpose == "gpu") != bool(re.match(WITH_GPUS, self.machine)):
            raise MisfitError("machine", "g and p machines, and no others, are for purpose: gpu", self.machine)
        return self


class EksCluster(CloudCluster):
    """Amazon Elastic Kubernetes Service: managed nodes without public addresses, in a network over three zones."""

    source: Literal["eks"]
    region: Annotated[str, Field(pattern=r"^(af|ap|ca|eu|il|me|mx|sa|us)-(north|south|central)?(east|west)?-[0-9]$")]
    """The AWS region; `aws ec2 describe-regions` prints all."""
    zones: tuple[Letter, Letter, Letter] = ("a", "b", "c")
    """The last letters of three zones of the region."""
    version: Minor
    """The minor version of Kubernetes; `aws eks describe-cluster-versions` prints those that EKS has."""
    addons: dict[Addon, AddonVersion] = Field(default_factory=dict)
    """The version of each EKS add-on; only a change of this setting updates an add-on. A preview reports versions that
    are missing or outdated."""
    node_releases: dict[System, Release] = Field(default_factory=dict)
    """The release of the node images: al2023 for pools without GPUs, bottlerocket for pools with GPUs. Only a change of
    this setting updates nodes: it replaces those of each such pool, a third of them at a time."""
    admins: tuple[Annotated[str, Field(pattern=r"^arn:aws:iam::[0-9]{12}:(role|user)/\S+$")], ...] = ()
    """IAM roles and users that administer the cluster, beside the one that makes it."""
    network: Annotated[Cidr, Field(pattern=r"/16$")] = "10.0.0.0/16"
    """The address range of nodes and pods. It must not overlap with networks that it is connected to."""
    nat: Literal["one", "per-zone"] = "one"
    """NAT gateways: one costs a third; one for each zone survives the loss of a zone."""
    pools: dict[PoolName, EksPoolSettings]
    autoscaler: ImageReference | None = None
    """The image of the cluster autoscaler by digest, of the cluster's own minor version. Pools that scale need it."""
    buckets: dict[BucketName, SharedBucketSettings] = Field(default_factory=dict)
    """Buckets of S3, by their names, which are unique in the world."""
    dns_zones: tuple[ZoneId, ...] = ()
    """Hosted zones of Route 53, by their ids, that cert-manager may edit for certificates (acme.dns01: route53)."""
    repositories: tuple[Name, ...] = ()
    """Repositories of the registry for images of your own, beside one for each image that `make images` pushes."""

    @property
    def bucket_users(self) -> dict[str, tuple[str, ...]]:
        """The service accounts that each bucket is open for: those of the settings, and MLflow's where it is MLflow's
        own."""
        return {
            name: tuple(dict.fromkeys((*(MLFLOW if bucket.account == "mlflow" else ()), *bucket.used_by)))
            for name, bucket in self.buckets.items()
        }

    @model_validator(mode="after")
    def _complete(self) -> Self:
        check_general(self.pools)
        if len(set(self.zones)) < len(self.zones):
            raise MisfitError("zones", "three different zones are needed")
        return self
