"""A stack in which every policy has something to judge and nothing to say: resources as data, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_policies.engine.resource import Resource
from ml_policies.engine.values import Hidden

IMAGE = "registry.example.com/x@sha256:" + "0" * 64
OWNER = {"ml-platform/owner": "a", "ml-platform/team": "b", "ml-platform/cost-centre": "c"}
TAGS = {"owner": "a", "team": "b", "cost-centre": "c"}
SECURE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
SIZE = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}
BUNDLE = "ml-platform:bundles:Bundle"


@dataclass(frozen=True)
class Declared:
    type: str
    props: Mapping[str, Any]
    protect: bool = False
    bundle: str = ""


def kubernetes(kind: str, name: str, version: str = "v1", **fields: Any) -> Declared:
    group = version if "/" in version else f"core/{version}"
    namespaced = kind not in ("Namespace", "ClusterRole", "ClusterRoleBinding")
    metadata = {"name": name, **({"namespace": "models"} if namespaced else {}), **fields.pop("metadata", {})}
    props = {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}
    return Declared(f"kubernetes:{group}:{kind}", props)


def pod(**fields: Any) -> dict[str, Any]:
    container = {"name": "main", "image": IMAGE, "securityContext": SECURE, "resources": SIZE}
    env = [{"name": "LEVEL", "value": "info"}, {"name": "TOKEN_FILE", "value": "/run/token"}]
    spec = {
        "serviceAccountName": "web",
        "securityContext": POD,
        "containers": [{**container, "env": env, "args": ["--level=info"]}],
        "initContainers": [{**container, "name": "first"}],
    }
    return {"metadata": {"labels": {"app": "web"}}, "spec": {**spec, **fields}}


def bucket(kind: str, name: str, **props: Any) -> Declared:
    return Declared(kind, {"bucket": name, **props}, protect=True)


BLOCKED = {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True}
VERSIONED = {"versioningConfiguration": {"status": "Enabled"}}
RBAC = "rbac.authorization.k8s.io/v1"
MINE = {"selector": {"matchLabels": {"serving.kserve.io/inferenceservice": "iris"}}, "minAvailable": 1}
ANYBODY = [{"from": [{"source": {"notRequestPrincipals": ["*"]}}]}]
EDGE = {"namespace": "gateway"}
RAY_POD = {"template": pod(serviceAccountName="ray")}
OUTCOME = "pulumi-python:dynamic/workloads:RunOutcome"

JOB = {"backoffLimit": 2, "activeDeadlineSeconds": 600, "template": pod()}

GOOD: dict[str, Declared] = {
    "web": kubernetes("Deployment", "web", "apps/v1", spec={"replicas": 1, "template": pod()}),
    "data": Declared(
        "kubernetes:apps/v1:StatefulSet",
        {
            **kubernetes("StatefulSet", "data", "apps/v1").props,
            "spec": {
                "template": pod(),
                "volumeClaimTemplates": [{"spec": {"resources": {"requests": {"storage": "1Gi"}}}}],
            },
        },
        protect=True,
    ),
    "load": kubernetes("Job", "load", "batch/v1", spec=JOB),
    "watch": kubernetes(
        "CronJob", "watch", "batch/v1", spec={"schedule": "*/10 * * * *", "jobTemplate": {"spec": JOB}}
    ),
    "spark": kubernetes(
        "SparkApplication", "spark", "sparkoperator.k8s.io/v1beta2",
        spec={
            "image": IMAGE,
            "restartPolicy": {"type": "Never"},
            "driver": {"cores": 1, "memory": "512m"},
            "executor": {"cores": 1, "memory": "512m", "instances": 2},
        },
    ),
    "ray": kubernetes(
        "RayJob", "ray", "ray.io/v1",
        spec={
            "backoffLimit": 0,
            "activeDeadlineSeconds": 600,
            "rayClusterSpec": {"headGroupSpec": RAY_POD, "workerGroupSpecs": [{**RAY_POD, "maxReplicas": 2}]},
        },
    ),
    "train": kubernetes(
        "TrainJob", "train", "trainer.kubeflow.org/v1alpha1",
        spec={"trainer": {"image": IMAGE, "numNodes": 2, "resourcesPerNode": SIZE}},
    ),
    "torch": kubernetes(
        "PyTorchJob", "torch", "kubeflow.org/v1",
        spec={
            "runPolicy": {"backoffLimit": 2, "activeDeadlineSeconds": 600},
            "pytorchReplicaSpecs": {"Master": {"replicas": 1, **RAY_POD}, "Worker": {"replicas": 2, **RAY_POD}},
        },
    ),
    "runtime": kubernetes(
        "TrainingRuntime", "train", "trainer.kubeflow.org/v1alpha1",
        spec={"template": {"spec": {"failurePolicy": {"maxRestarts": 2}}}},
    ),
    "spark-outcome": Declared(OUTCOME, {"run": "spark", "timeout": 900}),
    "train-outcome": Declared(OUTCOME, {"run": "train", "timeout": 900}),
    "iris": kubernetes(
        "InferenceService", "iris", "serving.kserve.io/v1beta1",
        spec={
            "predictor": {
                "minReplicas": 3,
                "maxReplicas": 4,
                "scaleTarget": 10,
                "timeout": 60,
                "canaryTrafficPercent": 20,
                "model": {"protocolVersion": "v2", "storageUri": "mlflow://iris/7", "resources": SIZE},
            }
        },
    ),
    "iris-budget": kubernetes("PodDisruptionBudget", "iris", "policy/v1", spec=MINE),
    "iris-route": kubernetes(
        "Route", "iris", "serving.knative.dev/v1",
        spec={
            "traffic": [
                {"configurationName": "iris-predictor", "percent": 80},
                {"configurationName": "iris-canary-predictor", "percent": 20, "tag": "canary"},
            ]
        },
    ),
    "iris-http": kubernetes(
        "HTTPRoute", "iris", "gateway.networking.k8s.io/v1",
        spec={
            "rules": [
                {
                    "backendRefs": [
                        {"name": "iris-predictor", "weight": 50},
                        {"name": "iris-canary-predictor", "weight": 50},
                    ]
                }
            ]
        },
    ),
    "canary-alone": kubernetes(
        "HTTPRoute", "canary-iris", "gateway.networking.k8s.io/v1",
        spec={"rules": [{"backendRefs": [{"name": "iris-canary-predictor", "weight": 100}]}]},
    ),
    "reader": kubernetes(
        "ClusterRole", "reader", RBAC,
        rules=[
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
            {"apiGroups": ["*"], "resources": ["deployments/scale"], "verbs": ["update"]},
        ],
    ),
    "readers": kubernetes(
        "ClusterRoleBinding", "readers", RBAC,
        roleRef={"kind": "ClusterRole", "name": "reader"}, subjects=[{"kind": "ServiceAccount", "name": "web"}],
    ),
    "issuer": kubernetes("Issuer", "public", "cert-manager.io/v1", spec={}),
    "webhook-certificate": Declared(
        "pulumi-python:dynamic/certificates:WebhookCertificate", {"dns_names": ["webhook.models.svc"]}
    ),
    "ingress": kubernetes("Ingress", "web", "networking.k8s.io/v1", spec={"tls": [{"secretName": "web"}], "rules": []}),
    "gateway": kubernetes(
        "Gateway", "gateway", "gateway.networking.k8s.io/v1",
        spec={
            "listeners": [
                {"name": "http", "protocol": "HTTP", "port": 80},
                {"name": "https", "protocol": "HTTPS", "port": 443},
            ]
        },
    ),
    "redirect": kubernetes(
        "HTTPRoute", "redirect", "gateway.networking.k8s.io/v1",
        spec={"parentRefs": [{"name": "gateway", "sectionName": "http"}],
              "rules": [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}]},
    ),
    "istio": kubernetes(
        "Gateway", "knative-ingress-gateway", "networking.istio.io/v1",
        spec={
            "servers": [
                {"port": {"name": "http", "number": 80, "protocol": "HTTP"}, "tls": {"httpsRedirect": True}},
                {"port": {"name": "https", "number": 443, "protocol": "HTTPS"}, "tls": {"mode": "SIMPLE"}},
            ]
        },
    ),
    "istio-inside": kubernetes(
        "Gateway", "knative-local-gateway", "networking.istio.io/v1",
        spec={"servers": [{"port": {"name": "http", "number": 8081, "protocol": "HTTP"}}]},
    ),
    "balancer": kubernetes("Service", "gateway", metadata=EDGE, spec={"type": "LoadBalancer"}),
    "inner-balancer": kubernetes(
        "Service", "inner",
        metadata={"annotations": {"networking.gke.io/load-balancer-type": "Internal"}}, spec={"type": "LoadBalancer"},
    ),
    "office-balancer": kubernetes(
        "Service", "office", spec={"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]}
    ),
    "tokens": kubernetes("RequestAuthentication", "gateway", "security.istio.io/v1", metadata=EDGE, spec={}),
    "no-token": kubernetes(
        "AuthorizationPolicy", "gateway", "security.istio.io/v1",
        metadata=EDGE, spec={"action": "DENY", "rules": ANYBODY},
    ),
    "models": kubernetes("Namespace", "models", metadata={"labels": {"ml-platform/workloads": "true", **OWNER}}),
    "quota": kubernetes("ResourceQuota", "models", spec={"hard": {"pods": 10}}),
    "walls": kubernetes("NetworkPolicy", "models", "networking.k8s.io/v1", spec={}),
    "kserve-definitions": Declared(
        "pulumi-python:dynamic/bundles:Definitions",
        {"bundle": "kserve", "version": "1", "digest": "0" * 64, "names": ["inferenceservices.serving.kserve.io"]},
        bundle="kserve",
    ),
    "google-member": Declared("gcp:projects/iAMMember:IAMMember", {"role": "roles/viewer", "member": "user:a"}),
    "amazon-rights": Declared(
        "aws:iam/rolePolicy:RolePolicy", {"policy": '{"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"]}]}'}
    ),
    "fleet": kubernetes("Fleet", "fleet", "example.com/v1", spec={"ship": {}}),
    "settings": kubernetes("ConfigMap", "settings", data={"level": "info"}),
    "keys": kubernetes("Secret", "keys", stringData={"password": Hidden("hunter2"), "none": ""}),
    "address": Declared("pulumi-python:dynamic/gateway:Address", {}),
    "google": bucket(
        "gcp:storage/bucket:Bucket", "google",
        publicAccessPrevention="enforced", uniformBucketLevelAccess=True, versioning={"enabled": True}, labels=TAGS,
    ),
    "amazon": bucket("aws:s3/bucket:Bucket", "amazon", tags=TAGS),
    "amazon-block": Declared("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", BLOCKED),
    "amazon-versions": Declared("aws:s3/bucketVersioning:BucketVersioning", VERSIONED),
    "ionos": bucket("ionoscloud:objectstorage/bucket:Bucket", "ionos", tags=TAGS),
    "ionos-block": Declared("ionoscloud:objectstorage/publicAccessBlock:PublicAccessBlock", BLOCKED),
    "ionos-versions": Declared("ionoscloud:objectstorage/bucketVersioning:BucketVersioning", VERSIONED),
    "ionos-encryption": Declared(
        "ionoscloud:objectstorage/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", {}
    ),
    "gke": Declared(
        "gcp:container/cluster:Cluster",
        {"masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}]}, "resourceLabels": TAGS},
    ),
    "eks": Declared(
        "aws:eks/cluster:Cluster",
        {"vpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]}, "tags": TAGS},
    ),
    "ionos-cluster": Declared(
        "ionoscloud:k8s/cluster:Cluster", {"public": True, "apiSubnetAllowLists": ["203.0.113.7/32"]}
    ),
    "gke-general": Declared(
        "gcp:container/nodePool:NodePool",
        {"nodeConfig": {"machineType": "e2-standard-4"}, "autoscaling": {"maxNodeCount": 1}},
    ),
    "gke-spot": Declared(
        "gcp:container/nodePool:NodePool",
        {"nodeConfig": {"machineType": "e2-standard-4", "spot": True}, "autoscaling": {"totalMaxNodeCount": 3}},
    ),
    "eks-general": Declared(
        "aws:eks/nodeGroup:NodeGroup",
        {"instanceTypes": ["m6i.xlarge"], "scalingConfig": {"maxSize": 3}, "capacityType": "ON_DEMAND"},
    ),
    "ionos-general": Declared(
        "ionoscloud:k8s/nodePool:NodePool",
        {"coresCount": 4, "ramSize": 16384, "nodeCount": 2, "storageSize": 100, "autoScaling": {"maxNodeCount": 3}},
    ),
}  # fmt: skip


def resources(stack: Mapping[str, Declared]) -> list[Resource]:
    """As the judge gets them."""
    return [
        Resource(
            type=each.type,
            name=name,
            props=each.props,
            urn=f"urn:pulumi:test::test::{each.type}::{name}",
            parent=f"urn:pulumi:test::test::{BUNDLE}::{each.bundle}" if each.bundle else "",
            protect=each.protect,
        )
        for name, each in stack.items()
    ]


def sent(stack: Mapping[str, Declared]) -> list[dict[str, Any]]:
    """As policy_program.py reads them."""
    fields = ("type", "protect", "bundle")
    return [
        {"name": name, "props": _marked(each.props), **{key: getattr(each, key) for key in fields}}
        for name, each in stack.items()
    ]


def _marked(value: Any) -> Any:
    """With a mark for what is secret."""
    if isinstance(value, dict):
        return {key: _marked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_marked(each) for each in value]
    return {"$secret": str(value)} if isinstance(value, Hidden) else value
