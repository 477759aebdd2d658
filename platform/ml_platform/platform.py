"""The composer: the order of the whole platform on one screen.

What a component needs of another is passed to it, and that is the order. What no such line connects comes up side by
side: the database and the object store beside the serving layer.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from ml_platform import object_storage, pods, registry_login, selection, store
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.preflight import Preflight
from ml_platform.clusters import Cluster
from ml_platform.clusters.cluster import AUTOSCALER
from ml_platform.component import Component, after
from ml_platform.components.address import records_of
from ml_platform.components.autoscaler import AutoscalerArgs, ClusterAutoscaler
from ml_platform.components.cert_manager import CertManager, CertManagerArgs
from ml_platform.components.foreign import ForeignArgs
from ml_platform.components.gateway import Gateway
from ml_platform.components.gateway_api import GatewayApi
from ml_platform.components.mlflow import MLflow, MLflowArgs
from ml_platform.components.namespace import Namespace, NamespaceArgs
from ml_platform.components.object_store import ObjectStore, ObjectStoreArgs, url_on
from ml_platform.components.postgres import Postgres, PostgresArgs
from ml_platform.components.ray import Ray
from ml_platform.components.spark import STACKABLE, Spark, SparkArgs
from ml_platform.components.training import Training, TrainingArgs
from ml_platform.configuration import require_secret
from ml_platform.handle import ObjectStoreAccess, PlatformHandle, PlatformOutputs, SparkAccess, SparkOperator
from ml_platform.serving_layer import ServingLayer
from ml_platform.settings import PlatformSettings

SEED = "a long random text that all passwords are derived from"
MLFLOW_URL = "http://mlflow.mlflow.svc.cluster.local:5000"


class Platform(Component):
    """Everything a cluster needs before any ML work."""

    token = "ml-platform:platform:Platform"  # noqa: S105 - a type token

    handle: PlatformHandle
    dns: pulumi.Input[list[dict[str, str]]]
    """The records of the domain that lead to the gateway; none are needed where every machine knows its names."""
    authority: pulumi.Output[str] | None
    """Whom clients have to be told to trust, as PEM."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        settings: PlatformSettings,
        *,
        labels: Mapping[str, str],
        tenants: Sequence[str] = (),
        pools: Mapping[str, pods.Placement] | None = None,
        images: Collection[str] = (),
    ) -> None:
        """`labels` say whose it is; of this stack's work are `tenants`, its namespaces, `pools`, the nodes it may be
        put on, and our short names of the `images` that it runs."""
        super().__init__(name)
        settings = selection.sized(settings, cluster.volume_size)
        self._pools = pools or {}
        self._cluster, self._settings, self._ownership = cluster, settings, labels
        self._seed = cluster.seed or require_secret(pulumi.Config(), "seed", SEED)
        self._login = registry_login.chosen(settings.registry_login, cluster.registry_login)
        self._images = {**cluster.images, **settings.images}
        scaled = [AUTOSCALER] if cluster.autoscaler else []
        more, version = {*images, *scaled}, cluster.version
        selection.check(settings, images=self._images, pulls=cluster.pulls, version=version, more=more)
        self._labels = {"ml-platform/stack": pulumi.get_stack()}
        preflight = self._preflight([*scaled, *tenants])
        self._provider = cluster.provider([preflight])
        self._autoscaler()
        self._installation = self._install(preflight)
        self._routes = self._route_kinds()
        self._installation = self._certified()

        held = self.child(protect=cluster.protected)
        tracking = Namespace(selection.TRACKING, NamespaceArgs(labels=self._labels, login=self._login), held)
        gateway, serving = self._serving_layer()
        after_gateway = super().child(depends_on=gateway.ready)
        self.dns = records_of(gateway, settings.gateway, cluster.kubeconfig, after_gateway)
        self.authority = gateway.certificate.authority if gateway.certificate else None
        spark, ray = self._spark(), self._ray()
        self._training()
        clients = [pods.from_namespace(gateway.namespace), pods.from_workloads()]
        access = self._object_store(gateway, [*clients, pods.from_namespace(tracking.name)])
        database = self._postgres(tracking)
        workers = access[store.WORKLOADS]
        mlflow = self._mlflow(tracking, database, access[store.MLFLOW], gateway, clients)

        knative = ["knative-serving"] if settings.serving.mode == "knative" else []
        bundles = [*self._installation.declared.namespaces, *scaled]
        jobs, storage = ([settings.spark.namespace] if settings.spark else []), selection.storage(settings)
        known = pulumi.Output.from_input
        self.handle = PlatformHandle(
            provider=self._provider,
            login=self._login,
            outputs=PlatformOutputs(
                mlflow_url=mlflow.url,
                object_store=workers,
                serving_mode=settings.serving.mode,
                serving=after(settings.serving.mode, *self.joined("serving", serving)),
                url_template=known(gateway.url),
                gateway=known(gateway.reference),
                object_store_url=known(url_on(gateway.url, settings.gateway.domain)) if storage else workers.endpoint,
                entry_namespaces=known([gateway.namespace, *knative]),
                namespaces=known(list(dict.fromkeys([gateway.namespace, *bundles, *jobs, *storage, tracking.name]))),
                images=self._images,
                kubeconfig=cluster.kubeconfig,
                cluster=preflight.cluster,
                certified=settings.certified_below,
                spark=spark,
                ray=ray,
                pools=self._pools,
            ),
        )
        self.register_outputs(self.handle.outputs.as_inputs())

    def exports(self) -> dict[str, Any]:
        """What people, and other stacks, have to know of it."""
        return {"dns": self.dns, "certificate_authority": self.authority, **self.handle.outputs.handed_over()}

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options for a child whose objects go to the cluster."""
        return super().child(provider=self._provider, **options)

    def _preflight(self, namespaces: Sequence[str]) -> Preflight:
        balanced = self._settings.gateway.host_port is None and not self._cluster.load_balancer.assumed
        return Preflight(
            "preflight",
            entries=selection.bundles(self._settings),
            existing=selection.existing(self._settings),
            own=[*selection.own(self._settings), *map(selection.namespace, namespaces)],
            mirror=selection.mirror(self._settings),
            labels=self._labels,
            adopt=self._cluster.disposable,
            storage_class=self._cluster.storage_class,
            volumes=selection.volumes(self._settings),
            load_balancer=balanced,
            kubeconfig=self._cluster.kubeconfig,
            opts=super().child(),
        )

    def _autoscaler(self) -> None:
        """Nodes for pods without room, where the cloud sees to none itself."""
        chosen = self._cluster.autoscaler
        if chosen is not None:
            image = self._images[AUTOSCALER]
            args = AutoscalerArgs(chosen=chosen, image=image, labels=self._labels, login=self._login)
            ClusterAutoscaler(AUTOSCALER, args, self.child())

    def _install(self, preflight: Preflight) -> Installation:
        settings = self._settings
        return Installation(
            kubeconfig=self._cluster.kubeconfig,
            labels=self._labels,
            images=self._images,
            registry=settings.bundles.registry,
            login=self._login,
            versions=settings.bundles.versions,
            existing=frozenset(settings.bundles.existing),
            mirror=selection.mirror(settings),
            size=settings.size,
            cert_manager=settings.certificates == "cert-manager",
            retain_definitions=not self._cluster.disposable,
            after=[preflight],
        )

    def _route_kinds(self) -> Sequence[pulumi.Resource]:
        """The kinds of the Gateway API, where something has routes of them."""
        settings = self._settings
        if settings.gateway.ingress != "istio" and settings.serving.mode != "standard":
            return []
        return GatewayApi("gateway-api", ForeignArgs(installation=self._installation), self.child()).kinds

    def _certified(self) -> Installation:
        """How all others are installed: after cert-manager, where that issues their certificates."""
        installation, gateway = self._installation, self._settings.gateway
        if not installation.cert_manager:
            return installation
        acme = gateway.https.acme if gateway.https else None
        routes = gateway.ingress == "istio" and acme is not None and acme.dns01 is None
        args = CertManagerArgs(installation=installation, routes=routes, after=self._routes if routes else [])
        issuer = CertManager("cert-manager", args, self.child())
        return dataclasses.replace(installation, after=[*installation.after, *issuer.ready])

    def _serving_layer(self) -> tuple[Gateway, Sequence[pulumi.Resource]]:
        layer = ServingLayer(
            owner=self,
            installation=self._installation,
            settings=self._settings,
            load_balancer=self._cluster.load_balancer,
            images=self._images,
            labels=self._labels,
            routes=self._routes,
            tracking_uri=MLFLOW_URL,
            placed=bool(self._pools),
        )
        return layer.declare()

    def _spark(self) -> SparkAccess | None:
        settings = self._settings.spark
        if settings is None:
            return None
        args = SparkArgs(
            installation=self._installation,
            operator=settings.operator,
            namespace=settings.namespace,
            quota=settings.quota,
            ownership=self._ownership,
        )
        spark = Spark("spark", args, self.child())
        return SparkAccess(
            operator=settings.operator,
            namespace=settings.namespace,
            jobs=after(settings.namespace, *spark.jobs, *spark.ready),
            repository=self._spark_repository(settings.operator),
        )

    def _spark_repository(self, operator: SparkOperator) -> pulumi.Output[str | None] | None:
        """Stackable's operator alone has an image of Spark itself."""
        return pulumi.Output.from_input(self._installation.mirrored(STACKABLE[-1])) if operator == "stackable" else None

    def _ray(self) -> pulumi.Output[str] | None:
        if self._settings.ray is None:
            return None
        ray = Ray("ray", ForeignArgs(installation=self._installation), self.child())
        return after(self._installation.entry(ray.bundle).namespace, *ray.ready)

    def _training(self) -> None:
        chosen = self._settings.training
        if chosen.v1 or chosen.v2:
            Training("training", TrainingArgs(installation=self._installation, **chosen.model_dump()), self.child())

    def _object_store(self, gateway: Gateway, clients: Sequence[Mapping[str, Any]]) -> Mapping[str, ObjectStoreAccess]:
        """How each account reaches its buckets."""
        settings, accounts = self._settings.object_store, store.accounts(self._settings)
        if settings.source != "own":
            storage = object_storage.chosen(settings, self._cluster.object_storage, accounts)
            return {name: storage.access(name, account.buckets) for name, account in accounts.items()}
        domain, held = self._settings.gateway.domain, self.child(protect=self._cluster.protected)
        args = ObjectStoreArgs(
            namespace=Namespace(selection.STORAGE, NamespaceArgs(labels=self._labels, login=self._login), held),
            labels=self._labels,
            image=self._images["versitygw"],
            step_image=self._images["training"],
            seed=self._seed,
            settings=settings,
            storage_class=self._cluster.storage_class,
            protected=self._cluster.protected,
            accounts={name: account.buckets for name, account in accounts.items()},
            gateway=gateway,
            hosts=[f"s3.{domain}", domain],
            clients=clients,
        )
        return ObjectStore("s3", args, self.child()).access

    def _postgres(self, namespace: Namespace) -> Postgres:
        args = PostgresArgs(
            namespace=namespace,
            labels=self._labels,
            image=self._images["postgres"],
            seed=self._seed,
            settings=self._settings.postgres,
            storage_class=self._cluster.storage_class,
            protected=self._cluster.protected,
            database="mlflow",
            clients=("mlflow", "mlflow-schema"),
        )
        return Postgres("postgres", args, self.child())

    def _mlflow(
        self,
        namespace: Namespace,
        database: Postgres,
        access: ObjectStoreAccess,
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
            seed=self._seed,
            store=access,
            gateway=gateway,
            host=f"mlflow.{settings.gateway.domain}",
            address=settings.gateway.bind,
            clients=clients,
        )
        return MLflow("mlflow", args, self.child())
