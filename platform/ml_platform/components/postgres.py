"""PostgreSQL: one database on one volume, and the role that owns it.

This component owns the server, its volume and its password. The namespace and the clients are arguments. At each start
the image sets the role's password to that of the Secret, so that the two never differ.
"""

from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.components import volume
from ml_platform.components.mlflow import NAMESPACE
from ml_platform.components.namespace import Namespace
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.passwords import derive, fingerprint
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

PORT = 5432
VOLUME = "/var/lib/postgresql"
CLAIM = "data-postgres-0"
"""The claim's name, which is the one that a StatefulSet with a claim template gives its first pod."""


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    namespace: Namespace
    database: str
    """The name of the database, and of the role that owns it."""
    clients: tuple[str, ...]
    """The values of label `app` of the pods in the namespace that may connect."""


class Postgres(PlatformComponent):
    token = "ml-platform:data:Postgres"  # noqa: S105 - a type token

    uri: pulumi.Output[str]
    """The URI of the database, password included. It is known before the server is ready: clients wait for the server
    themselves."""
    server: KubernetesObject

    def __init__(self, name: str, site: Site, args: PostgresArgs) -> None:
        super().__init__(name, site)
        labels, settings = site.labels, site.settings.postgres
        self._meta = pods.metadata(name, args.namespace.name, labels)
        password = derive(site.seed, f"postgres/{name}", settings.password_version)
        passive = self.passive(args.namespace.resource)
        account = args.namespace.account(name, labels)
        clients = [{"podSelector": {"matchLabels": {"app": client}}} for client in args.clients]
        before = [
            KubernetesObject(name, account, passive),
            KubernetesObject(name, pods.secret(self._meta, {"password": password}), passive),
            KubernetesObject(name, pods.service(self._meta, PORT, clusterIP="None"), passive),
            KubernetesObject(name, pods.ingress_from(name, args.namespace.name, labels, PORT, clients), passive),
            volume.declare(self, name, CLAIM, settings.storage, args.namespace),
        ]
        server = self._server(name, args, fingerprint(site.seed, password))
        self.server = KubernetesObject(name, server, self.child(depends_on=before))
        host = f"{name}.{args.namespace.name}.svc.cluster.local"
        self.uri = pulumi.Output.concat(f"postgresql://{args.database}:", password, f"@{host}:{PORT}/{args.database}")
        self.register_outputs({"uri": self.uri})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        data = Volume(setting="postgres.storage", namespace=NAMESPACE, claim=CLAIM, size=settings.postgres.storage)
        return Needs(images=("postgres",), volumes=(data,))

    def _server(self, name: str, args: PostgresArgs, mark: pulumi.Output[str]) -> dict[str, Any]:
        settings = self.site.settings.postgres
        server = pods.container(
            "postgres",
            self.site.images["postgres"],
            settings.resources,
            env={
                "POSTGRES_USER": args.database,
                "POSTGRES_DB": args.database,
                "POSTGRES_PASSWORD": pods.secret_key(name, "password"),
                "PGDATA": f"{VOLUME}/data",
            },
            mounts={"data": VOLUME, "tmp": "/tmp"},  # noqa: S108 - the container's own
            ports=[{"name": "postgresql", "containerPort": PORT}],
            readinessProbe=pods.probe(PORT),
        )
        volumes = [pods.scratch(), pods.claimed("data", CLAIM)]
        pod = pods.pod(name, [server], volumes=volumes, terminationGracePeriodSeconds=60)
        return volume.server(self._meta, mark, pod)
