"""Clusters that the stack makes in a cloud, with all that its settings can ask for, before a cloud that is made up."""

from __future__ import annotations

import functools
from typing import Any

import pulumi
from ml_platform.clusters import connect
from ml_platform.configuration import validate
from ml_platform.settings import ClusterSettings, OwnershipSettings
from pulumi.runtime import mocks
from support import offers, recorder
from support.typed import PACKAGES

COMMON = {"api_access": ["198.18.1.0/24", "198.18.7.7/32"], "data": "protect"}
USER = "11111111-2222-3333-4444-555555555555"
SETTINGS: dict[str, dict[str, Any]] = {
    "ionos": {
        "source": "ionos", "location": "de/txl", "version": "1.35.2",
        "pools": {
            "general": {"cores": 8, "memory": 30, "minimum": 3, "maximum": 3, "cpu_family": "INTEL_SKYLAKE"},
            "burst": {"minimum": 1, "maximum": 4, "zone": "ZONE_1", "server_type": "VCPU"},
        },
        "buckets": {"acme-raw": {"versions": True, "account": "workloads"}, "acme-old": {"account": "mlflow"}},
        "object_storage": {"key_owner": USER},
        "registry": {"location": "de/txl", "access": ["203.0.113.0/24"]},
    },
    "gke": {
        "source": "gke", "project": "acme-ml", "region": "europe-west3", "version": "1.35",
        "zones": ["europe-west3-a", "europe-west3-b"],
        "pools": {
            "general": {"minimum": 3, "maximum": 5},
            "spot": {"purpose": "spot", "minimum": 0},
            "gpu": {"purpose": "gpu", "machine": "g2-standard-8", "gpu": {"type": "nvidia-l4"}, "minimum": 0},
        },
        "buckets": {"acme-raw": {"versions": True, "account": "workloads", "used_by": ["models/iris", "models/etl"]},
                    "acme-old": {"account": "mlflow"}},
    },
    "eks": {
        "source": "eks", "region": "eu-central-1", "version": "1.35", "nat": "per-zone",
        "addons": offers.ADDONS, "node_releases": offers.NODE_RELEASES,
        "dns_zones": ["Z0123456789ABC", "Z9876543210XYZ"],
        "admins": ["arn:aws:iam::123456789012:role/platform"],
        "pools": {
            "general": {"machine": "m7i.xlarge", "minimum": 2, "maximum": 4},
            "spot": {"purpose": "spot", "machine": "m7i.2xlarge", "minimum": 0},
            "gpu": {"purpose": "gpu", "machine": "g6.xlarge", "minimum": 0},
        },
        "autoscaler": f"registry.test/cluster-autoscaler@sha256:{'0' * 64}",
        "buckets": {"acme-raw": {"versions": True, "account": "workloads", "used_by": ["models/iris", "models/etl"]},
                    "acme-old": {"account": "mlflow", "used_by": ["models/etl"]}},
    },
}  # fmt: skip
OWNERSHIP = OwnershipSettings(owner="jane-doe", team="ml", cost_centre="cc-1234")
ACCOUNTS = {"mlflow": "acme-old", "workloads": "acme-raw"}
"""The bucket of each account of the platform's object store."""
AUTHORITY = "QVVUSE9SSVRZ"
ARN = "arn:aws:eks:eu-central-1:123456789012:cluster/ml-platform"
OUTPUTS: dict[str, dict[str, Any]] = {
    "gcp:container/cluster:Cluster": {"endpoint": "192.0.2.1", "masterAuth": {"clusterCaCertificate": AUTHORITY}},
    "gcp:compute/address:Address": {"address": "192.0.2.9"},
    "gcp:storage/bucket:Bucket": {"projectNumber": 4711},
    "gcp:serviceaccount/account:Account": {"email": "nodes@acme.test", "member": "serviceAccount:nodes@acme.test"},
    "aws:eks/cluster:Cluster": {
        "arn": ARN, "endpoint": "https://192.0.2.1", "certificateAuthority": {"data": AUTHORITY},
    },
    "aws:s3/bucket:Bucket": {"arn": "arn:bucket"},
    "aws:kms/key:Key": {"arn": "arn:key", "keyId": "key"},
    "aws:ecr/repository:Repository": {"repositoryUrl": "123456789012.dkr.ecr.test/ml-platform/mlflow"},
    "ionoscloud:compute/iPBlock:IPBlock": {"ips": ["192.0.2.9"]},
    "ionoscloud:compute/s3Key:S3Key": {"secretKey": "secret"},
    "gcp:storage/hmacKey:HmacKey": {"accessId": "access", "secret": "secret"},
    "ionoscloud:creg/registry:Registry": {"hostname": "acme.cr.test"},
    "ionoscloud:creg/registryToken:RegistryToken": {"credentials": [{"username": "puller", "password": "token"}]},
}  # fmt: skip
CLOUDS = sorted(SETTINGS)


class Cloud(recorder.Outputs):
    """As it is when everything is there."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        name, state = super().new_resource(args)
        return f"{name}-id", {**state, **OUTPUTS.get(args.typ, {})}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if said := offers.answer(args):
            return said
        assert (args.token, list(args.args)) == ("ionoscloud:k8s/getCluster:getCluster", ["id"])
        return {"kubeConfig": "clusters: []"}, []


@functools.cache
def declare(cloud: str, *, stack: str = "test", **changes: Any) -> tuple[recorder.Recorder, dict[str, Any]]:
    """What is asked for, and what has become of the cluster."""
    known: dict[str, Any] = {}

    def program() -> None:
        settings = validate("cluster", {**COMMON, **SETTINGS[cloud], **changes}, ClusterSettings).root
        cluster = connect(settings, OWNERSHIP)
        cluster.provider([])
        known["cluster"] = cluster
        pulumi.export("kubeconfig", cluster.kubeconfig)
        pulumi.export("identifier", cluster.options["cluster_identifier"])
        pulumi.export("exports", cluster.exports())

    seed = {"ml-platform:seed": "a seed"}
    found = recorder.record(program, stack=stack, config=seed, secrets=seed, world=Cloud())
    return found, {**known, **found.exports}


def own(found: recorder.Recorder) -> list[Any]:
    return [each for each in found.requests.values() if each.type.partition(":")[0] in PACKAGES]
