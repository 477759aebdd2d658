"""Kubeflow Pipelines: the bundle, its database's volume and password, and its place in the object store.

Runs belong to people and to the workloads. They are pods of Kubeflow's own namespace: the release is the one for one
team, whose members see and change all of each other's runs.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pulumi

from ml_platform import network, pods
from ml_platform.bundles.parse import Object
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.bundles.transforms import Transform, arguments, config_data, config_yaml, environment, pod_annotations
from ml_platform.component import after
from ml_platform.components import volume
from ml_platform.components.foreign import Foreign
from ml_platform.components.kubeflow import ENTRY, ISTIO, NAMESPACE, Kubeflow
from ml_platform.configuration import PROJECT, SettingsError
from ml_platform.handle import ObjectStoreAccess
from ml_platform.needs import Needs
from ml_platform.passwords import derive, fingerprint
from ml_platform.settings.kubeflow import PipelinesSettings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

API, UI, CACHE = "ml-pipeline", "ml-pipeline-ui", "cache-server"
PORT = 8888
URL = f"http://{API}.{NAMESPACE}:{PORT}"
"""The address of the API, as pods reach it."""
CLAIM = "mysql-pv-claim"
STORE, DATABASE = "mlpipeline-minio-artifact", "mysql-secret"
"""The Secrets with the key of the object store and with the password of the database, which the release knows."""
FOLDER = "pipelines"
"""The prefix of artifacts in the bucket."""
CERTIFICATE, ISSUER = "kfp-cache-cert", "kfp-cache-selfsigned-issuer"


@dataclass(frozen=True, kw_only=True)
class PipelinesArgs:
    kubeflow: Kubeflow
    settings: PipelinesSettings
    page: bool
    """Whether the page is reached from outside, where the gateway says who somebody is."""
    store: ObjectStoreAccess
    """The workloads' account of the object store."""


class Pipelines(Foreign):
    token = "ml-platform:kubeflow:Pipelines"  # noqa: S105 - a type token

    address: pulumi.Output[str]
    """The address of the API, as pods reach it; resolves when it answers."""

    def __init__(self, name: str, args: PipelinesArgs) -> None:
        site, made = args.kubeflow.site, args.kubeflow.made
        super().__init__(name, site)
        claim = volume.declare(self, "mysql", CLAIM, args.settings.storage, NAMESPACE, made)
        bucket = args.settings.bucket or site.settings.object_store.buckets[0]
        self.install(
            "kubeflow-pipelines",
            name=name,
            transforms=[*_transforms(args.store, bucket), *_restarts(site, args.store)],
            extra=[*_secrets(site, args.store), *_cache_webhook(), _entry(), *([_page()] if args.page else [])],
            after=[*made, claim],
        )
        self.address = after(URL, *self.ready)
        self.register_outputs({"address": self.address})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.has_pipelines

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        chosen = settings.kubeflow.pipelines if settings.kubeflow else None
        if chosen is None:
            return Needs()
        data = Volume(setting="kubeflow.pipelines.storage", namespace=NAMESPACE, claim=CLAIM, size=chosen.storage)
        return Needs(bundles=("kubeflow-pipelines",), volumes=(data,))


def _secrets(site: Site, store: ObjectStoreAccess) -> list[Object]:
    if store.access_key is None or store.secret_key is None:
        path = f"{PROJECT}:platform.kubeflow.pipelines"
        raise SettingsError(
            f"{path} needs an object store that knows pods by a key, and the buckets of this cluster know them by "
            f"their service account. Have the platform run a store of its own:\n"
            f"  pulumi config set --path '{PROJECT}:platform.object_store.source' own\n"
            f"Or leave pipelines out:\n  pulumi config rm --path '{path}'"
        )
    key = {"accesskey": store.access_key, "secretkey": store.secret_key}
    login = {"username": "root", "password": derive(site.seed, "mysql/pipelines")}
    return [pods.secret(_meta(STORE), key), pods.secret(_meta(DATABASE), login)]


def _transforms(store: ObjectStoreAccess, bucket: str) -> list[Transform]:
    def part(of: Any) -> pulumi.Output[Any]:
        return store.endpoint.apply(lambda url: of(urlsplit(url)))

    host, address = part(lambda url: url.hostname), part(lambda url: url.netloc)
    port, secure = part(lambda url: str(url.port or _default_port(url))), part(lambda url: url.scheme == "https")
    flag = secure.apply(lambda it: "true" if it else "false")
    launcher = {"defaultPipelineRoot": f"s3://{bucket}/{FOLDER}", "providers": _provider(store, address, secure)}
    archive = {"endpoint": address, "bucket": bucket, "insecure": secure.apply(lambda it: not it)}
    api = {"HOST": host, "PORT": port, "SECURE": flag, "REGION": store.region}
    page = {"MINIO_HOST": host, "MINIO_NAMESPACE": "", "MINIO_PORT": port, "MINIO_SSL": flag}
    return [
        config_data("pipeline-install-config", {"bucketName": bucket}),
        config_data("kfp-launcher", launcher),
        config_yaml("workflow-controller-configmap", "artifactRepository", {"s3": {**archive, "region": store.region}}),
        environment("Deployment", API, {f"OBJECTSTORECONFIG_{key}": value for key, value in api.items()}),
        environment("Deployment", UI, {**page, "ARGO_ARCHIVE_BUCKETNAME": bucket}),
        arguments("Deployment", CACHE, {"--tls_cert_filename": "tls.crt", "--tls_key_filename": "tls.key"}),
    ]


def _restarts(site: Site, store: ObjectStoreAccess) -> list[Transform]:
    """The API and the page read the key at their start only."""
    marks = pods.restarted_by(fingerprint(site.seed, store.secret_key or ""))["annotations"]
    return [pod_annotations("Deployment", name, marks) for name in (API, UI)]


def _default_port(url: Any) -> int:
    return 443 if url.scheme == "https" else 80


def _provider(store: ObjectStoreAccess, address: pulumi.Output[str], secure: pulumi.Output[bool]) -> pulumi.Output[str]:
    """The place of artifacts as launchers read it; JSON is YAML."""
    secret = {"secretName": STORE, "accessKeyKey": "accesskey", "secretKeyKey": "secretkey"}
    known = pulumi.Output.all(address=address, secure=secure, region=store.region)
    return known.apply(
        lambda it: json.dumps({
            "s3": {
                "default": {
                    "endpoint": it["address"],
                    "region": it["region"],
                    "disableSSL": not it["secure"],
                    "forcePathStyle": True,
                    "credentials": {"fromEnv": False, "secretRef": secret},
                }
            }
        })
    )  # fmt: skip


def _cache_webhook() -> Sequence[Object]:
    """The webhook of the cache of pipelines of the first generation, and the request for its certificate. The release
    has a program make both at run time, which no removal would find."""
    hosts = [f"{CACHE}.{NAMESPACE}.svc", f"{CACHE}.{NAMESPACE}.svc.cluster.local"]
    wanted = {"secretName": "webhook-server-tls", "dnsNames": hosts, "commonName": hosts[0]}
    webhook = {
        "name": "cache-server.kubeflow.org",
        "clientConfig": {"service": {"name": CACHE, "namespace": NAMESPACE, "path": "/mutate"}},
        "failurePolicy": "Ignore",
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        "sideEffects": "None",
        "timeoutSeconds": 5,
        "objectSelector": {"matchLabels": {"pipelines.kubeflow.org/cache_enabled": "true"}},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
        "admissionReviewVersions": ["v1beta1"],
    }
    issuer, trust = {"kind": "Issuer", "name": ISSUER}, {"cert-manager.io/inject-ca-from": f"{NAMESPACE}/{CERTIFICATE}"}
    return [
        _object("cert-manager.io/v1", "Issuer", _meta(ISSUER), spec={"selfSigned": {}}),
        _object("cert-manager.io/v1", "Certificate", _meta(CERTIFICATE), spec={**wanted, "issuerRef": issuer}),
        _object(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
            {"name": "cache-webhook-kubeflow", "annotations": trust},
            webhooks=[webhook],
        ),
    ]


def _entry() -> Object:
    """The network policy by which pods of the work reach the API."""
    policy = network.ingress_from(API, NAMESPACE, {}, PORT, [network.from_workloads()])
    return {**policy, "metadata": _meta(f"{API}-workloads")}


def _page() -> Object:
    """The route to the page, below the dashboard's host."""
    to = {"destination": {"host": f"{UI}.{NAMESPACE}.svc.cluster.local", "port": {"number": 80}}}
    http = [{"match": [{"uri": {"prefix": "/pipeline"}}], "route": [to]}]
    return _object(ISTIO, "VirtualService", _meta(UI), spec={"gateways": [ENTRY], "hosts": ["*"], "http": http})


def _meta(name: str) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE}


def _object(api: str, kind: str, meta: dict[str, Any], **fields: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": meta, **fields}
