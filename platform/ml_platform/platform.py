"""The composer: the order of the whole platform on one screen.

A component gets what it needs of another one as an argument, and these arguments are the order. Components without such
a connection come up in parallel: the database and the object store beside the serving layer, add-ons beside all else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import components, network, object_storage, store
from ml_platform.clusters import Cluster
from ml_platform.component import Component, after
from ml_platform.components import mlflow, monitoring, object_store
from ml_platform.components.address import records_of
from ml_platform.components.cert_manager import CertManager
from ml_platform.components.gateway import Gateway
from ml_platform.components.gateway_api import GatewayApi
from ml_platform.components.istio import Istio
from ml_platform.components.katib import Katib
from ml_platform.components.knative import NAMESPACE as KNATIVE
from ml_platform.components.knative import Knative
from ml_platform.components.kserve import KServe
from ml_platform.components.kubeflow import NAMESPACE as KUBEFLOW
from ml_platform.components.kubeflow import Kubeflow
from ml_platform.components.mlflow import MLflow, MLflowArgs
from ml_platform.components.monitoring import Monitoring
from ml_platform.components.object_store import ObjectStore, ObjectStoreArgs
from ml_platform.components.pipelines import Pipelines, PipelinesArgs
from ml_platform.components.postgres import Postgres, PostgresArgs
from ml_platform.components.profiles import Profiles
from ml_platform.components.traefik import Traefik
from ml_platform.handle import ObjectStoreAccess, PlatformHandle, PlatformOutputs
from ml_platform.needs import together
from ml_platform.settings.kubeflow import KubeflowSettings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site
from ml_platform.tenancy import Tenancy


@dataclass(frozen=True, kw_only=True)
class PlatformArgs:
    cluster: Cluster
    settings: PlatformSettings
    tenancy: Tenancy


class Platform(Component):
    """Everything a cluster needs before any ML work."""

    token = "ml-platform:platform:Platform"  # noqa: S105 - a type token

    handle: PlatformHandle

    def __init__(self, name: str, args: PlatformArgs) -> None:
        super().__init__(name)
        settings, cluster, tenancy = args.settings, args.cluster, args.tenancy
        own = components.needs(settings)
        needs = together({"the platform": own, "the work of this stack": tenancy.needs}, settings.bundles)
        site = Site.open(self, cluster, settings, needs=needs, ownership=tenancy.ownership, pools=tenancy.pools)
        routes = GatewayApi("gateway-api", site).kinds if GatewayApi.chosen(settings) else []
        if CertManager.chosen(settings):
            site = site.after(CertManager("cert-manager", site, routes).ready)

        mesh = Istio("gateway", site, routes) if Istio.chosen(settings) else None
        knative = Knative("knative", site, mesh.ready if mesh else []) if Knative.chosen(settings) else None
        kinds = [*routes, *(knative.kinds if knative else [])]
        gateway: Gateway = mesh or Traefik("gateway", site, kinds)
        kserve = KServe("kserve", site, gateway, kinds, knative.ready if knative else gateway.ready)
        dashboards = Monitoring("monitoring", site, gateway, settings.monitoring) if settings.monitoring else None
        serving = [each for each in (knative, gateway, kserve) if isinstance(each, pulumi.Resource)]
        kubeflow = Kubeflow("kubeflow", site, gateway) if Kubeflow.chosen(settings) else None
        add_ons = {each.block: each(site).access for each in components.add_ons() if each.chosen(settings)}

        url, workers = _tracking(site, gateway)
        outputs = PlatformOutputs(
            mlflow_url=url,
            object_store=workers,
            pipelines=_parts(kubeflow, settings.kubeflow, gateway, workers),
            serving=after(settings.serving.mode, *self.joined("serving", serving)),
            namespaces=pulumi.Output.from_input([*site.releases.declared.namespaces, *own.namespaces]),
            **_gateway_outputs(site, gateway, workers),
            **_chosen_outputs(site, tenancy, add_ons),
        )
        self.handle = PlatformHandle(
            provider=site.provider,
            login=site.login,
            outputs=outputs,
            exports={
                **self._connection_outputs(site, gateway, dashboards),
                **outputs.exports(),
                **outputs.handed_over(),
            },
        )
        self.register_outputs(outputs.as_inputs())

    def _connection_outputs(self, site: Site, gateway: Gateway, dashboards: Monitoring | None) -> dict[str, Any]:
        """The stack outputs that clients need to connect: the DNS records that lead to the gateway, none where every
        machine resolves the domain itself; the certificate authority that they have to trust, as PEM; and the URLs of
        the dashboards and of Kubeflow's pages."""
        opts = self.child(depends_on=gateway.ready)
        records = records_of(gateway, site.settings.gateway, site.cluster.kubeconfig, opts)
        authority = gateway.certificate.authority if gateway.certificate else None
        drawn = {"dashboards_url": dashboards.url} if dashboards and dashboards.url else {}
        kubeflow = site.settings.kubeflow
        pages = {"kubeflow_url": gateway.url.format(host=KUBEFLOW)} if kubeflow and kubeflow.pages else {}
        return {"dns": records, "certificate_authority": authority, **drawn, **pages}


def _tracking(site: Site, gateway: Gateway) -> tuple[pulumi.Output[str], ObjectStoreAccess]:
    """MLflow on its database and the object store: its URL, and how workloads reach their buckets."""
    namespace = site.namespace(mlflow.NAMESPACE)
    clients = [network.from_namespace(gateway.namespace), network.from_workloads()]
    artifacts = [namespace.name, *([KUBEFLOW] if Pipelines.chosen(site.settings) else [])]
    access = _object_store(site, gateway, [*clients, *map(network.from_namespace, artifacts)])
    database = Postgres(
        "postgres",
        site,
        PostgresArgs(namespace=namespace, database="mlflow", clients=network.from_app("mlflow", "mlflow-schema")),
    )
    args = MLflowArgs(
        namespace=namespace, database=database.uri, store=access[store.MLFLOW], gateway=gateway, clients=clients
    )
    return MLflow("mlflow", site, args).url, access[store.WORKLOADS]


def _parts(
    kubeflow: Kubeflow | None, chosen: KubeflowSettings | None, gateway: Gateway, store: ObjectStoreAccess
) -> pulumi.Output[str] | None:
    """The parts of Kubeflow with data or namespaces of their own; the address of its pipelines, where it has them."""
    if kubeflow is None or chosen is None:
        return None
    if chosen.profiles is not None:
        Profiles("profiles", kubeflow, gateway.namespace, chosen.profiles)
    if chosen.katib:
        Katib("katib", kubeflow)
    if chosen.pipelines is None:
        return None
    page = bool(chosen.pages)
    args = PipelinesArgs(kubeflow=kubeflow, settings=chosen.pipelines, page=page, store=store)
    return Pipelines("pipelines", args).address


def _object_store(
    site: Site, gateway: Gateway, clients: Sequence[Mapping[str, Any]]
) -> Mapping[str, ObjectStoreAccess]:
    """The access of each account to its buckets."""
    buckets = store.accounts(site.settings)
    if ObjectStore.chosen(site.settings):
        return ObjectStore("s3", site, ObjectStoreArgs(accounts=buckets, gateway=gateway, clients=clients)).access
    chosen = object_storage.chosen(site.settings.object_store, site.cluster.object_storage)
    return {name: chosen.access(name, owned) for name, owned in buckets.items()}


def _gateway_outputs(site: Site, gateway: Gateway, workers: ObjectStoreAccess) -> dict[str, Any]:
    """The fields of PlatformOutputs about the gateway."""
    own, knative = ObjectStore.chosen(site.settings), Knative.chosen(site.settings)
    url = object_store.url_on(gateway.url, site.settings.gateway.domain) if own else workers.endpoint
    known = pulumi.Output.from_input
    return {
        "url_template": known(gateway.url),
        "gateway": known(gateway.reference),
        "object_store_url": known(url),
        "entry_namespaces": known([gateway.namespace, *([KNATIVE] if knative else []), *_watchers(site.settings)]),
    }


def _watchers(settings: PlatformSettings) -> list[str]:
    """The namespaces from which all pods are asked for their metrics."""
    chosen = settings.monitoring
    if chosen is None:
        return []
    return [monitoring.NAMESPACE if chosen.source == "own" else chosen.namespace]


def _chosen_outputs(site: Site, tenancy: Tenancy, add_ons: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of PlatformOutputs that come straight from the settings, the cluster and the add-ons."""
    return {
        "serving_mode": site.settings.serving.mode,
        "certified": site.settings.certified_below,
        "images": site.images,
        "kubeconfig": site.cluster.kubeconfig,
        "cluster": site.identity,
        "pools": tenancy.pools,
        "spark": add_ons.get("spark"),
        "ray": add_ons.get("ray"),
        "training": add_ons.get("training"),
    }
