"""The composer: the order of the whole platform on one screen.

What a component needs of another is passed to it, and that is the order. What no such line connects comes up side by
side: the database and the object store beside the serving layer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.bundles import catalog
from ml_platform.bundles.installation import Installation
from ml_platform.clusters import Cluster
from ml_platform.component import Component, after
from ml_platform.components.gateway import Gateway, GatewayArgs
from ml_platform.components.knative import Autoscaling, Knative, KnativeArgs
from ml_platform.components.kserve import KServe, KServeArgs
from ml_platform.components.mlflow import MLflow, MLflowArgs
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.components.object_store import ObjectStore, ObjectStoreArgs
from ml_platform.components.postgres import Postgres, PostgresArgs
from ml_platform.configuration import SettingsError
from ml_platform.handle import PlatformHandle, PlatformOutputs
from ml_platform.settings import GatewaySettings, PlatformSettings

IMAGES = ("mlflow", "postgres", "traefik", "training", "versitygw")
BUNDLES = ("knative-serving", "kserve")
MLFLOW_URL = "http://mlflow.mlflow.svc.cluster.local:5000"


class Platform(Component):
    """Everything a cluster needs before any ML work."""

    token = "ml-platform:platform:Platform"  # noqa: S105 - a type token

    handle: PlatformHandle

    def __init__(self, name: str, cluster: Cluster, settings: PlatformSettings) -> None:
        super().__init__(name, pulumi.ResourceOptions(provider=cluster.provider))
        self._cluster, self._settings = cluster, settings
        self._images = _images(cluster, settings)
        self._labels = {"ml-platform/stack": pulumi.get_stack()}
        self._installation = Installation(
            kubeconfig=cluster.kubeconfig,
            labels=self._labels,
            images=self._images,
            versions={"knative-serving": "1.23.0-lean", "kserve": "0.20.0-lean"},
            retain_definitions=not cluster.disposable,
        )
        catalog.check(map(self._installation.entry, BUNDLES))

        storage = Namespace("storage", NamespaceArgs(labels=self._labels), self.child())
        tracking = Namespace("mlflow", NamespaceArgs(labels=self._labels), self.child())
        knative = self._knative()
        gateway = self._gateway(knative)
        kserve = self._kserve(knative)
        clients = [pods.from_namespace(gateway.namespace), pods.from_workloads()]
        store = self._object_store(storage, [*clients, pods.from_namespace(tracking.name)])
        database = self._postgres(tracking)
        mlflow = self._mlflow(tracking, database, store, gateway, clients)

        self.handle = PlatformHandle(
            provider=cluster.provider,
            outputs=PlatformOutputs(
                mlflow_url=mlflow.url,
                object_store=store.access["workloads"],
                serving_mode=settings.serving.mode,
                serving=after(settings.serving.mode, knative, gateway, kserve),
                url_template=gateway.url,
                object_store_url=_object_store_url(gateway.url, settings.gateway),
                entry_namespaces=(gateway.namespace, knative.namespace),
                namespaces=(gateway.namespace, knative.namespace, kserve.namespace, storage.name, tracking.name),
                images=self._images,
                kubeconfig=cluster.kubeconfig,
            ),
        )
        self.register_outputs(self.handle.outputs.as_inputs())

    def _knative(self) -> Knative:
        args = KnativeArgs(
            installation=self._installation,
            domain=self._settings.gateway.domain,
            autoscaling=Autoscaling(**self._settings.serving.autoscaling.model_dump()),
        )
        return Knative("knative", args, self.child())

    def _gateway(self, knative: Knative) -> Gateway:
        settings = self._settings.gateway
        args = GatewayArgs(
            image=self._images["traefik"],
            labels=self._labels,
            domain=settings.domain,
            host_port=settings.host_port,
            bind=settings.bind,
            service_type="ClusterIP" if settings.host_port else "LoadBalancer",
            after=knative.bundle.kinds,
        )
        return Gateway("gateway", args, self.child())

    def _kserve(self, knative: Knative) -> KServe:
        args = KServeArgs(
            installation=self._installation,
            domain=self._settings.gateway.domain,
            tracking_uri=MLFLOW_URL,
            after=knative.bundle.kinds,
            over=[knative.bundle.ready],
        )
        return KServe("kserve", args, self.child())

    def _object_store(self, namespace: Namespace, clients: Sequence[Mapping[str, Any]]) -> ObjectStore:
        domain = self._settings.gateway.domain
        args = ObjectStoreArgs(
            namespace=namespace,
            labels=self._labels,
            image=self._images["versitygw"],
            step_image=self._images["training"],
            seed=self._cluster.seed,
            settings=self._settings.object_store,
            storage_class=self._cluster.storage_class,
            accounts={"mlflow": ["mlflow"], "workloads": self._settings.object_store.buckets},
            hosts=[f"s3.{domain}", domain],
            clients=clients,
        )
        return ObjectStore("s3", args, self.child())

    def _postgres(self, namespace: Namespace) -> Postgres:
        args = PostgresArgs(
            namespace=namespace,
            labels=self._labels,
            image=self._images["postgres"],
            seed=self._cluster.seed,
            settings=self._settings.postgres,
            storage_class=self._cluster.storage_class,
            database="mlflow",
            clients=("mlflow", "mlflow-schema"),
        )
        return Postgres("postgres", args, self.child())

    def _mlflow(
        self,
        namespace: Namespace,
        database: Postgres,
        store: ObjectStore,
        gateway: Gateway,
        clients: Sequence[Mapping[str, Any]],
    ) -> MLflow:
        settings = self._settings
        args = MLflowArgs(
            namespace=namespace,
            labels=self._labels,
            image=self._images["mlflow"],
            settings=settings.mlflow,
            database=database.uri,
            passwords=(settings.postgres.password_version, settings.object_store.password_version),
            store=store.access["mlflow"],
            hosts=[f"mlflow.{settings.gateway.domain}", None],
            allowed_hosts=[f"{settings.gateway.bind}:*"],
            public_url=gateway.url.format(host="mlflow"),
            clients=clients,
        )
        return MLflow("mlflow", args, self.child())


def _images(cluster: Cluster, settings: PlatformSettings) -> Mapping[str, str]:
    images = {**cluster.images, **settings.images}
    if missing := [name for name in IMAGES if name not in images]:
        raise SettingsError(
            f"No reference for image {missing[0]!r}: there are {', '.join(sorted(images)) or 'none'}. Build and push "
            f"it from workloads/images, then set it with:\n  pulumi config set --path "
            f"'ml-platform:platform.images.{missing[0]}' <registry>/{missing[0]}@sha256:<digest>"
        )
    return images


def _object_store_url(template: str, gateway: GatewaySettings) -> str:
    # Python resolves localhost, but no name under it.
    url = template.format(host="s3")
    return url.replace("//s3.", "//") if gateway.domain == "localhost" else url
