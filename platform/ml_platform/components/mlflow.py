"""MLflow: tracking, model registry and artifacts by proxy.

This component owns the server, its database schema and its route. The database and the object store are arguments.
Clients need no key of the object store, since the server reads and writes artifacts for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import network, pods
from ml_platform.component import NAMED_ANEW, after
from ml_platform.components.gateway import Gateway
from ml_platform.components.namespace import Namespace
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.configuration import Resources
from ml_platform.handle import ObjectStoreAccess
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.passwords import fingerprint
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE = "mlflow"
PORT = 5000
HOST = f"mlflow.{NAMESPACE}.svc.cluster.local"
URL = f"http://{HOST}:{PORT}"
"""The server's URL, as pods reach it."""
FORWARDED = ("localhost", "127.0.0.1")
"""The server's hosts for clients that come by `kubectl port-forward`."""
TMP = "/tmp"  # noqa: S108 - the container's own


@dataclass(frozen=True, kw_only=True)
class MLflowArgs:
    namespace: Namespace
    database: pulumi.Input[str]
    """The URI of the database, password included."""
    store: ObjectStoreAccess
    """The object store; the first of its buckets holds the artifacts."""
    gateway: Gateway
    clients: Sequence[Mapping[str, Any]]
    """The peers, as a NetworkPolicy has them, that may connect."""


class MLflow(PlatformComponent):
    token = "ml-platform:tracking:MLflow"  # noqa: S105 - a type token

    url: pulumi.Output[str]
    """The server's URL, as pods reach it; the Output resolves when the server is ready."""

    def __init__(self, name: str, site: Site, args: MLflowArgs) -> None:
        super().__init__(name, site)
        self._name, self._args = name, args
        self._meta = pods.metadata(name, args.namespace.name, site.labels)
        passive = self.passive(args.namespace.resource)
        account = args.namespace.account(name, site.labels)
        policy = network.ingress_from(name, args.namespace.name, site.labels, PORT, args.clients)
        before = [
            KubernetesObject(name, manifest, passive)
            for manifest in (account, pods.secret(self._meta, self._secrets), pods.service(self._meta, PORT), policy)
        ]
        schema = KubernetesObject(f"{name}-schema", self._migration(), self.child(depends_on=before, **NAMED_ANEW))
        server = KubernetesObject(name, self._server(), self.child(depends_on=before))
        route = args.gateway.route(self._meta, PORT, [self._public])
        KubernetesObject(name, route, self.child(depends_on=[server, *args.gateway.routable]))
        self.url = after(URL, schema, server)
        self.register_outputs({"url": self.url})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(images=("mlflow",), namespaces=(NAMESPACE,), hosts=("mlflow",))

    @property
    def _public(self) -> str:
        return f"{self._name}.{self.site.settings.gateway.domain}"

    @property
    def _secrets(self) -> dict[str, pulumi.Input[str]]:
        key = self._args.store.secret_key
        return {"database": self._args.database, **({"s3": key} if key is not None else {})}

    def _migration(self) -> dict[str, Any]:
        """The Job that migrates the database's schema to the image's version. The Job waits for the database, and the
        server waits for the schema."""
        step = pods.container(
            "migrate",
            self.site.images["mlflow"],
            Resources(memory="256Mi", memory_limit="1Gi"),
            env={"MLFLOW_BACKEND_STORE_URI": pods.secret_key(self._name, "database")},
            mounts={"tmp": TMP},
            args=["ml_runtime.migrate"],
        )
        name = f"{self._name}-schema"
        spec = pods.pod(self._name, [step], volumes=[pods.scratch()])
        return pods.job(name, self._args.namespace.name, self.site.labels, spec, run=pods.digest(spec))

    def _server(self) -> dict[str, Any]:
        name, settings = self._name, self.site.settings
        secrets = fingerprint(self.site.seed, *self._secrets.values())
        server = pods.container(
            "mlflow",
            self.site.images["mlflow"],
            settings.mlflow.resources,
            env=self._environment(),
            mounts={"tmp": TMP},
            ports=[{"name": "http", "containerPort": PORT}],
            readinessProbe=pods.probe(PORT, "/health"),
            livenessProbe=pods.probe(PORT, "/health", initialDelaySeconds=60, failureThreshold=60),
        )
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": self._meta,
            "spec": {
                "replicas": settings.mlflow.replicas,
                "revisionHistoryLimit": 2,
                "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}, **pods.restarted_by(secrets)},
                    "spec": pods.pod(name, [server], volumes=[pods.scratch(size=settings.mlflow.scratch)]),
                },
            },
        }

    def _environment(self) -> dict[str, Any]:
        args, settings = self._args, self.site.settings
        short = f"{self._name}.{args.namespace.name}"
        inside = [HOST, short, f"{short}.svc", self._name, *FORWARDED]
        hosts = [*inside, self._public, settings.gateway.bind, *settings.mlflow.allowed_hosts]
        # MLflow's protection against DNS rebinding takes a list of hosts: those without a port are allowed at any port.
        allowed = [each for host in hosts for each in ([host] if ":" in host else [host, f"{host}:*"])]
        return {
            "MLFLOW_BACKEND_STORE_URI": pods.secret_key(self._name, "database"),
            "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{args.store.buckets[0]}/artifacts",
            "MLFLOW_S3_ENDPOINT_URL": args.store.endpoint,
            **args.store.environment(self._name, "s3"),
            "MLFLOW_HOST": "0.0.0.0",  # noqa: S104 - of its pod; a NetworkPolicy says who connects
            "MLFLOW_PORT": str(PORT),
            "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(dict.fromkeys(allowed)),
            "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": args.gateway.url.format(host=self._name),
        }
