"""What each policy accepts and refuses, as tables of changes to a stack that all of them accept."""

from __future__ import annotations

from typing import Any

import pytest
from ml_policies.catalog import POLICIES
from support.declared import IMAGE
from support.policies import said
from support.refused import MAIN, PREDICTOR, REMOVED

POD = "spec.template.spec"
TEMPLATE = "spec.template.metadata"
INJECTED = {"inject.istio.io/templates": "gateway"}
STANDARD = {"serving.kserve.io/deploymentMode": "Standard"}
JOB_KEY = "jobTemplate.spec"
JOB = f"spec.{JOB_KEY}"
RAY_WORKER = "spec.rayClusterSpec.workerGroupSpecs.0"
GPU = {"limits": {"nvidia.com/gpu": 2, "memory": "1Gi"}, "requests": {"cpu": 1}}
TTL = {"runPolicy": {"ttlSecondsAfterFinished": 60}}
STARRED = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
EKS_ACCESS = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
Row = tuple[str, str, dict[str, Any]]


def own_server(files: str) -> dict[str, Any]:
    """A container of an InferenceService that KServe fetches files for."""
    return {"name": "kserve-container", "image": IMAGE, "env": [{"name": "STORAGE_URI", "value": files}]}


ALLOWED: list[Row] = [
    ("image-by-digest", "spark", {"spec.image": REMOVED}),
    ("image-by-digest", "web", {f"{MAIN}.image": "auto", f"{TEMPLATE}.annotations": INJECTED}),
    ("no-latest-image", "web", {f"{MAIN}.image": "registry.example.com:5000/x:1.2"}),
    ("no-latest-image", "web", {f"{MAIN}.image": f"x:latest{IMAGE[IMAGE.index('@'):]}"}),
    ("image-registry", "web", {f"{MAIN}.image": "anywhere.test/x:1"}),
    ("known-workload", "fleet", {"spec.ship": {"containers": 3, "image": "a picture"}}),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.capabilities.add": ["NET_BIND_SERVICE"]}),
    ("restricted-pods", "web", {f"{POD}.securityContext.seccompProfile.type": "Localhost"}),
    ("host-access", "web", {f"{MAIN}.ports": [{"containerPort": 80}], f"{POD}.volumes": [{"emptyDir": {}}]}),
    ("bounded-resources", "load", {f"{MAIN}.resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}),
    ("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {}}}}),
    ("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": "TOKEN", "value": "$(OTHER)"}}),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["--token=/run/token", "--tokens-per-second=5", "token"]}),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["--eos-token=</s>", "--password", "$(PASSWORD)", "--token", "-v"]}),
    ("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": "AUTOMOUNT_TOKEN", "value": "true"}}),
    ("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": "DB_URL", "value": "postgres://u:$(PASS)@h/d"}}),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["-c", "PGPASSWORD=$SECRET psql"]}),
    ("no-plain-secrets", "settings", {"data": {"credentials": '{"a": 1}', "token": "a: b\nc: d"}}),
    ("no-cluster-admin", "readers", {"roleRef": {"kind": "Role", "name": "admin"}}),
    ("no-wildcard-rights", "reader", {"rules.0": {"verbs": ["bind"], "resourceNames": ["own"]}}),
    ("edge-authentication", "office-balancer", {"spec.loadBalancerSourceRanges": ["10.1.2.0/24"]}),
    ("edge-authentication", "no-token", {"spec.rules.0.to": [{"operation": {"notPaths": ["/healthz"]}}]}),
    ("api-server-access", "eks", {"vpcConfig.publicAccessCidrs": ["10.0.0.0/9", "10.128.0.0/9"]}),
    ("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": "s3://models/iris/7/model.json"}),
    ("bounded-namespaces", "walls", {"spec": {"ingress": [{"from": [{"podSelector": {}}]}]}}),
    ("restricted-pods", "web", {f"{POD}.securityContext.sysctls": [{"name": "net.ipv4.tcp_syncookies"}]}),
    ("no-default-token", "load", {f"{POD}.serviceAccountName": REMOVED, f"{POD}.automountServiceAccountToken": False}),
    ("bundle-digest", "kserve-definitions", {"names": []}),
    ("no-opaque-installers", "spark-outcome", {"timeout": 60}),
    ("no-wildcard-rights", "reader", {"rules": None}),
    ("no-cluster-admin", "readers", {"roleRef.name": "view"}),
    ("no-cloud-admin", "amazon-rights", {"policy": '{"Statement": {"Effect": "Deny", "Action": "*"}}'}),
    ("edge-tls", "ingress", {"spec.tls": REMOVED, "metadata.labels": {"visibility": "cluster-local"}}),
    ("edge-tls", "ingress", {"spec.tls": [{"hosts": ["*.b.test"]}], "spec.rules": [{"host": "a.b.test"}]}),
    ("edge-tls", "gateway", {"spec.listeners.1.protocol": "TLS"}),
    ("trusted-edge", "webhook-certificate", {"dns_names": ["web.models.svc", "web.models.svc.cluster.local"]}),
    ("edge-authentication", "balancer", {"spec.type": "ClusterIP"}),
    ("private-buckets", "google", {"iamConfiguration": "its own affair"}),
    ("encrypted-buckets", "amazon", {"serverSideEncryptionConfiguration": None}),
    ("versioned-buckets", "ionos-versions", {"versioningConfiguration.mfaDelete": "Disabled"}),
    ("api-server-access", "eks", {"vpcConfig": {"endpointPublicAccess": False}}),
    ("api-server-access", "gke", {"privateClusterConfig": {"enablePrivateEndpoint": True}}),
    ("bounded-replicas", "iris", {f"{PREDICTOR}.maxReplicas": 20}),
    ("enough-replicas", "iris", {f"{PREDICTOR}.minReplicas": REMOVED}),
    ("disruption-budget", "iris", {f"{PREDICTOR}.minReplicas": 1}),
    ("bounded-concurrency", "iris", {f"{PREDICTOR}.scaleTarget": REMOVED, f"{PREDICTOR}.containerConcurrency": 5}),
    ("bounded-concurrency", "iris", {f"{PREDICTOR}.scaleMetric": "cpu", f"{PREDICTOR}.scaleTarget": 80}),
    ("bounded-concurrency", "iris", {f"{PREDICTOR}.scaleTarget": REMOVED, "metadata.annotations": STANDARD}),
    ("request-timeout", "iris", {f"{PREDICTOR}.timeout": REMOVED}),
    ("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": "s3://models/iris/v1.4/"}),
    ("pinned-model", "iris", {f"{PREDICTOR}.containers": [own_server("pvc://models/ctr/7")]}),
    ("model-source", "iris", {f"{PREDICTOR}.containers": [own_server("pvc://models/ctr/7")]}),
    ("model-source", "iris", {f"{PREDICTOR}.model.storageUri": "oci://registry/iris/7"}),
    ("canary-share", "iris", {f"{PREDICTOR}.canaryTrafficPercent": 50}),
    ("canary-share", "iris-route", {"spec.traffic": [{"configurationName": "iris-predictor", "percent": 100}]}),
    ("bounded-run-size", "ray", {f"{RAY_WORKER}.maxReplicas": 100}),
    ("bounded-run-time", "load", {"spec.activeDeadlineSeconds": 86400}),
    ("bounded-retries", "ray", {"spec.backoffLimit": REMOVED}),
    ("no-time-to-live", "ray", {"spec.ttlSecondsAfterFinished": 60}),
    ("node-ceiling", "ionos-general", {"autoScaling": REMOVED}),
    ("gpus-where-allowed", "train", {"spec.trainer.resourcesPerNode.limits": {"memory": "2Gi"}}),
    ("monthly-cost", "eks-general", {"scalingConfig.maxSize": 20}),
    ("known-cost", "eks-general", {"instanceTypes": ["m5.xlarge", "m6i.xlarge"]}),
    ("spot-where-asked", "gke-spot", {"nodeConfig.spot": REMOVED, "nodeConfig.preemptible": True}),
    ("protected-data", "data", {"protect": False, "spec.volumeClaimTemplates": []}),
    ("ownership-labels", "models", {"metadata.labels": {"team": "b"}}),
    ("bounded-namespaces", "models", {"metadata.labels": {"team": "b"}}),
    ("deprecated-apis", "web", {"apiVersion": "apps/v2alpha1"}),
]  # fmt: skip
REFUSED: list[tuple[*Row, str]] = [
    ("trusted-edge", "webhook-certificate", {"dns_names": ["ml.example.com"]}, "set gateway.tls.issuer to acme"),
    ("image-by-digest", "spark", {"spec.image": "spark:4.0"}, "container spark runs image 'spark:4.0'"),
    ("image-by-digest", "train", {"spec.trainer.image": "x:1"}, "container trainer"),
    ("image-by-digest", "ray", {f"{RAY_WORKER}.{MAIN.removeprefix('spec.')}.image": "x:1"}, "container main"),
    ("image-by-digest", "iris", {f"{PREDICTOR}.containers": [{"name": "own", "image": "x:1"}]}, "'x:1'"),
    ("image-by-digest", "web", {f"{MAIN}.image": "auto"}, "'auto'"),
    ("image-by-digest", "web", {f"{POD}.initContainers.0.image": "x:1"}, "container first"),
    ("no-latest-image", "web", {f"{MAIN}.image": "registry.example.com:5000/x"}, "the tag latest"),
    ("bundle-digest", "kserve-definitions", {"version": ""}, "its version is not named"),
    ("bundle-digest", "kserve-definitions", {"names": ["inferenceservices"]}, "no name of a CRD"),
    ("no-opaque-installers", "address", {"type": "kubernetes:helm.sh/v3:Release"}, "Helm installs it"),
    ("no-opaque-installers", "address", {"type": "command:local:Command"}, "it runs a command"),
    ("no-opaque-installers", "address", {"type": "command:remote:CopyToRemote"}, "it runs a command"),
    ("no-opaque-installers", "address", {"type": "pulumi-python:dynamic/own:Thing"}, "a program of its own"),
    ("no-opaque-installers", "address", {"type": "pulumi-python:dynamic:Resource"}, "a program of its own"),
    ("no-opaque-installers", "address", {"type": "pulumi-nodejs:dynamic:Resource"}, "a program of its own"),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.allowPrivilegeEscalation": True}, "more rights"),
    ("known-workload", "fleet", {"spec.ship": {"containers": [{"image": IMAGE}]}}, "is no kind of the pack's table"),
    ("known-workload", "fleet", {"spec.ship": {"image": IMAGE, "args": ["-v"]}}, "is no kind of the pack's table"),
    ("known-workload", "web", {"apiVersion": "apps.test/v1"}, "apps.test/Deployment is no kind"),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.capabilities.add": ["SYS_ADMIN"]}, "adds capability SYS"),
    ("restricted-pods", "web", {f"{POD}.securityContext": REMOVED}, "may run as root"),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.runAsUser": 0}, "runs as user 0"),
    ("restricted-pods", "web", {f"{POD}.securityContext.seccompProfile.type": "Unconfined"}, "any system call"),
    ("host-access", "web", {f"{POD}.volumes": [{"name": "r", "hostPath": {"path": "/"}}]}, "volume r is the node's"),
    ("host-access", "web", {f"{MAIN}.securityContext.privileged": True}, "is privileged"),
    ("host-access", "web", {f"{MAIN}.ports": [{"hostPort": 80}]}, "takes port 80 of its node"),
    ("bounded-resources", "iris", {f"{PREDICTOR}.model.resources": {"limits": {"cpu": 1}}}, "no requests.memory"),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["--db-password=x"]}, "its argument --db-password"),
    ("no-plain-secrets", "train", {"spec.trainer.env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}]}, "SECRET"),
    ("no-default-token", "web", {f"{POD}.serviceAccountName": "default"}, "`default`"),
    ("no-wildcard-rights", "reader", {"rules.0.verbs": ["*"]}, "`*` in verbs"),
    ("no-cloud-admin", "google-member", {"member": "allUsers"}, "which is everybody"),
    ("no-cloud-admin", "amazon-rights", {"policy": STARRED}, "allows every action"),
    ("no-cloud-admin", "amazon-rights", {"policy": STARRED.replace("Action", "NotAction")}, "all actions but some"),
    ("no-cloud-admin", "amazon-rights", {"type": EKS_ACCESS, "policyArn": "arn:aws:eks::aws:cluster-access-policy/"
        "AmazonEKSClusterAdminPolicy"}, "attaches AmazonEKSClusterAdminPolicy"),
    ("edge-tls", "gateway", {"spec.listeners.1.protocol": "HTTP"}, "listener https is HTTP on port 443"),
    ("edge-tls", "istio", {"spec.servers.0.tls": {}}, "server http takes HTTP and does not redirect"),
    ("edge-tls", "istio", {"spec.servers.0.tls": {}, "spec.servers.0.port.protocol": "GRPC"}, "server http takes GRPC"),
    ("edge-tls", "redirect", {"spec.rules.0.filters": []}, "listener http is HTTP on port 80"),
    ("edge-tls", "redirect", {"spec.rules.0.filters.0.requestRedirect": {"statusCode": 301}}, "listener http is HTTP"),
    ("edge-tls", "redirect", {"spec.parentRefs.0.sectionName": "https"}, "listener http is HTTP"),
    ("edge-tls", "redirect", {"kind": "TCPRoute"}, "listener http is HTTP"),
    ("edge-tls", "iris-http", {"spec.parentRefs": [{"name": "gateway"}]}, "listener http is HTTP"),
    ("edge-tls", "gateway", {"spec.listeners.0.allowedRoutes": {"namespaces": {"from": "All"}}}, "listener http is"),
    ("edge-tls", "gateway", {"spec.listeners.0.protocol": "UDP"}, "listener http is UDP"),
    ("edge-tls", "ingress", {"metadata.name": "my-cluster-local-web", "spec.tls": REMOVED}, "plain text"),
    ("edge-tls", "ingress", {"spec.tls": [{"hosts": ["a.test"]}], "spec.rules": [{"host": "b.test"}]}, "b.test is"),
    ("edge-tls", "ingress", {"metadata.annotations": {"ingress.test/ssl-redirect": "false"}}, "turns the redirect"),
    ("edge-tls", "istio-inside", {"metadata.name": "my-local-gateway"}, "server http takes HTTP"),
    ("edge-tls", "istio-inside", {"spec.servers.0.port.number": 8080}, "server http takes HTTP"),
    ("edge-tls", "balancer", {"spec.ports": [{"port": 80, "targetPort": 8081}]}, "server http takes HTTP"),
    ("edge-tls", "ingress", {"kind": "IngressRoute", "spec": {"routes": []}}, "takes plain text"),
    ("edge-authentication", "no-token", {"spec.action": "ALLOW"}, "asks for a token"),
    ("edge-authentication", "office-balancer", {"spec.loadBalancerSourceRanges": ["0.0.0.0/0"]}, "asks for a token"),
    ("edge-authentication", "inner-balancer", {"metadata.annotations": {}}, "asks for a token"),
    ("edge-authentication", "office-balancer", {"spec.ipFamilies": ["IPv6"]}, "asks for a token"),
    ("edge-authentication", "office-balancer", {"spec.ipFamilyPolicy": "PreferDualStack"}, "asks for a token"),
    ("edge-authentication", "office-balancer", {"spec.ipFamilyPolicy": "RequireDualStack"}, "asks for a token"),
    ("private-buckets", "google", {"uniformBucketLevelAccess": False}, "single objects can be made public"),
    ("private-buckets", "amazon-block", {"blockPublicPolicy": False}, "PublicAccessBlock with blockPublicPolicy"),
    ("versioned-buckets", "google", {"versioning.enabled": False}, "what is overwritten"),
    ("versioned-buckets", "amazon-versions", {"versioningConfiguration.status": "Suspended"}, "what is overwritten"),
    ("api-server-access", "gke", {"masterAuthorizedNetworksConfig": REMOVED}, "for want of a list"),
    ("api-server-access", "ionos-cluster", {"apiSubnetAllowLists": []}, "for want of a list"),
    ("bounded-replicas", "iris", {f"{PREDICTOR}.maxReplicas": REMOVED}, "no maxReplicas"),
    ("bounded-replicas", "iris", {f"{PREDICTOR}.minReplicas": 5}, "minReplicas 5 above maxReplicas 4"),
    ("bounded-replicas", "iris", {"spec.transformer": {}}, "its transformer"),
    ("bounded-concurrency", "iris", {f"{PREDICTOR}.scaleTarget": 1000}, "1000 requests at once"),
    ("request-timeout", "iris", {f"{PREDICTOR}.timeout": 0}, "a timeout of 0 s"),
    ("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": "s3://models/iris"}, "names no version"),
    ("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": REMOVED}, "no storageUri"),
    ("pinned-model", "iris", {f"{PREDICTOR}.containers": [own_server("pvc://models/ctr")]}, "names no version"),
    ("model-source", "iris", {f"{PREDICTOR}.containers": [own_server("https://x.test/ctr/7")]}, "comes by https"),
    ("model-source", "iris", {f"{PREDICTOR}.model.storageUri": "https://example.com/iris/7"}, "comes by https"),
    ("canary-share", "iris", {f"{PREDICTOR}.canaryTrafficPercent": 51}, "canary gets 51 %"),
    ("canary-share", "iris-http", {"spec.rules.0.backendRefs.1.weight": 150}, "iris-canary-predictor gets 75 %"),
    ("bounded-run-size", "ray", {f"{RAY_WORKER}.maxReplicas": 10000}, "GiB of memory"),
    ("bounded-run-size", "load", {"spec.parallelism": 1000}, "100 of cores together"),
    ("bounded-run-size", "watch", {f"{JOB}.parallelism": 1000}, "100 of cores together"),
    ("bounded-run-time", "watch", {f"{JOB}.activeDeadlineSeconds": REMOVED}, f"set {JOB_KEY}.activeDeadlineSeconds"),
    ("bounded-retries", "watch", {f"{JOB}.backoffLimit": REMOVED}, f"6 times; set {JOB_KEY}.backoffLimit to 5"),
    ("image-by-digest", "watch", {f"{JOB}.template.spec.containers.0.image": "x:1"}, "container main"),
    ("restricted-pods", "watch", {f"{JOB}.template.spec.securityContext": REMOVED}, "runAsNonRoot"),
    ("bounded-run-size", "train", {"spec.trainer.resourcesPerNode": GPU, "spec.trainer.numNodes": 5}, "10 of gpus"),
    ("bounded-run-size", "spark", {"spec.dynamicAllocation": {"maxExecutors": 600}}, "601 of cores"),
    ("bounded-run-time", "ray", {"spec.activeDeadlineSeconds": 86401}, "it may take 86401 s"),
    ("bounded-run-time", "train", {"spec.activeDeadlineSeconds": 90000}, "set activeDeadlineSeconds to 86400"),
    ("bounded-run-time", "train-outcome", {"run": "other"}, "set activeDeadlineSeconds"),
    ("bounded-run-time", "spark-outcome", {"run": "other"}, "set the timeout of its outcome"),
    ("bounded-retries", "spark", {"spec.restartPolicy": {"type": "Always"}}, "without end"),
    ("bounded-retries", "spark", {"spec.restartPolicy": {"type": "OnFailure", "onFailureRetries": 9}}, "9 times"),
    ("bounded-retries", "spark", {"spec.job": {"config": {"retryOnFailureCount": 6}}}, "job.config.retryOnFailure"),
    ("bounded-retries", "torch", {"spec.runPolicy.backoffLimit": REMOVED}, "without end; set runPolicy.backoffLimit"),
    ("bounded-retries", "runtime", {"spec.template.spec.failurePolicy.maxRestarts": 9}, "failurePolicy.maxRestarts"),
    ("bounded-run-time", "torch", {"spec.runPolicy.activeDeadlineSeconds": REMOVED}, "runPolicy.activeDeadlineSeconds"),
    ("bounded-run-size", "torch", {"spec.pytorchReplicaSpecs.Worker.replicas": 10000}, "GiB of memory"),
    ("no-time-to-live", "spark", {"spec.timeToLiveSeconds": 60}, "drop timeToLiveSeconds"),
    ("no-time-to-live", "torch", {"spec": TTL}, "drop runPolicy.ttlSecondsAfterFinished"),
    ("no-time-to-live", "ray", {"spec.deletionStrategy": {"deletionRules": [{"policy": "DeleteSelf"}]}}, "RayJob"),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.procMount": "Unmasked"}, "sees all of /proc"),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.seLinuxOptions": {"type": "spc_t"}}, "labels of containers"),
    ("restricted-pods", "web", {f"{MAIN}.securityContext.appArmorProfile": {"type": "Unconfined"}}, "AppArmor"),
    ("restricted-pods", "web", {f"{POD}.securityContext.sysctls": [{"name": "kernel.msgmax"}]}, "kernel.msgmax"),
    ("restricted-pods", "web", {f"{POD}.volumes": [{"name": "n", "nfs": {"server": "x"}}]}, "of type nfs"),
    ("host-access", "web", {f"{POD}.securityContext.windowsOptions": {"hostProcess": True}}, "hostProcess"),
    ("host-access", "web", {f"{MAIN}.securityContext.windowsOptions": {"hostProcess": True}}, "hostProcess"),
    ("image-by-digest", "iris", {f"{PREDICTOR}.model.storageUri": "oci://x.test/iris:7"}, "its model runs image"),
    ("image-by-digest", "spark", {"spec.sparkConf": {"spark.kubernetes.container.image": "x:1"}}, "'x:1'"),
    ("host-access", "spark", {"spec.sparkConf": {
        "spark.kubernetes.driver.volumes.hostPath.r.options.path": "/"}}, "volume r is the node's path /"),
    ("bounded-run-size", "spark", {"spec.sparkConf": {"spark.executor.instances": "600"}}, "601 of cores"),
    ("no-plain-secrets", "spark", {"spec.sparkConf": {"spark.hadoop.fs.s3a.secret.key": "x"}}, "secret.key"),
    ("gpus-where-allowed", "iris", {f"{PREDICTOR}.model.resources": GPU}, "asks for GPUs"),
    ("model-source", "iris", {f"{PREDICTOR}.sklearn": {"storageUri": "https://x.test/model.pkl"}}, "comes by https"),
    ("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": "oci://x.test/iris/7"}, "names no version"),
    ("pinned-model", "iris", {f"{PREDICTOR}.model.storageUri": "s3://models/2024/champion"}, "names no version"),
    *(
        ("no-plain-secrets", "web", {f"{MAIN}.env.0": {"name": name, "value": value}}, f"its variable {name}")
        for name, value in (
            ("PGPASSWORD", "x"), ("MYSQL_PWD", "x"), ("DJANGO_SECRET_KEY", "x"), ("DB_PASS", "x"), ("dbPassword", "x"),
            ("DATABASE_URL", "postgres://u:hunter2@h/d"),
        )
    ),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["--password", "hunter2"]}, "its argument --password"),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["-c", "PGPASSWORD=hunter2 psql"]}, "its argument PGPASSWORD"),
    ("no-plain-secrets", "web", {f"{MAIN}.args": ["postgres://u:hunter2@h/d"]}, "its argument postgres"),
    ("no-plain-secrets", "settings", {"data": {"DB_PASSWORD": "hunter2"}}, "its key DB_PASSWORD"),
    ("no-wildcard-rights", "reader", {"rules.0.verbs": ["impersonate"]}, "has impersonate"),
    ("no-wildcard-rights", "reader", {"aggregationRule": {"clusterRoleSelectors": [{}]}}, "every ClusterRole"),
    ("no-cluster-admin", "readers", {"subjects": [{"name": "system:unauthenticated"}]}, "which is everybody"),
    ("edge-authentication", "inner-balancer", {"spec": {"type": "NodePort"}}, "it is public"),
    ("edge-authentication", "inner-balancer", {"spec": {"externalIPs": ["192.0.2.1"]}}, "it is public"),
    ("edge-authentication", "no-token", {"spec.rules.0.to": [{"operation": {"paths": ["/a"]}}]}, "asks for a token"),
    ("edge-authentication", "no-token", {"spec.rules.0.to": [{"operation": {"notPaths": ["/*"]}}]}, "asks for a token"),
    ("edge-authentication", "no-token", {"spec.rules.0.when": [{"key": "x"}]}, "asks for a token"),
    ("api-server-access", "eks", {"vpcConfig.publicAccessCidrs": ["0.0.0.0/1", "128.0.0.0/1"]}, "open to 0.0.0.0/0"),
    ("canary-share", "iris-http", {"kind": "VirtualService", "spec": {"http": [{"route": [
        {"destination": {"host": "iris-canary"}, "weight": 90},
        {"destination": {"host": "iris"}, "weight": 10}]}]}}, "iris-canary gets 90 %"),
    ("bounded-namespaces", "quota", {"spec.hard": {}}, "a quota"),
    ("bounded-namespaces", "walls", {"spec": {"ingress": [{}]}}, "a network policy"),
    ("bounded-namespaces", "walls", {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}, "a network policy"),
    ("node-ceiling", "gke-general", {"autoscaling": {}}, "nothing bounds"),
    ("gpus-where-allowed", "gke-general", {"nodeConfig.guestAccelerators": [{"type": "nvidia-l4"}]}, "have GPUs"),
    ("known-cost", "eks-general", {"instanceTypes": ["z9.huge"]}, "no price for its machines, 'z9.huge'"),
    ("ownership-labels", "eks", {"tags": {"owner": "a"}}, "no team, no cost-centre"),
    ("protected-data", "google", {"protect": False}, "it holds data"),
    ("deprecated-apis", "web", {"apiVersion": "apps/v1beta2"}, "1.16 and later do not have apps/v1beta2"),
    ("deprecated-apis", "reader", {"apiVersion": "rbac.authorization.k8s.io/v1beta1"}, "by rbac.authorization"),
]  # fmt: skip


def test_each_policy_has_something_to_accept() -> None:
    assert {policy for policy, _, _ in ALLOWED} == {policy.name for policy in POLICIES}


@pytest.mark.parametrize(("policy", "resource", "changes"), ALLOWED)
def test_a_policy_accepts(policy: str, resource: str, changes: dict[str, Any]) -> None:
    assert said(policy, resource, changes) == []


@pytest.mark.parametrize(("policy", "resource", "changes", "words"), REFUSED)
def test_a_policy_refuses(policy: str, resource: str, changes: dict[str, Any], words: str) -> None:
    assert words in " ".join(said(policy, resource, changes))
