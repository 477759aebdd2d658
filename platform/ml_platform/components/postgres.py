"""PostgreSQL: one database on one volume, and the role that owns it.

This component owns the server, its volume and its password. The namespace and the clients are arguments. At each start
the image sets the role's password to that of the Secret, so that the two never differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import network, pods
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


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    namespace: Namespace
    database: str
    """The name of the database, and of the role that owns it."""
    clients: Sequence[Mapping[str, Any]]
    """The peers, as a NetworkPolicy has them, that may connect."""


class Postgres(PlatformComponent):
    token = "ml-platform:data:Postgres"  # noqa: S105 - a type token

    uri: pulumi.Output[str]
    """The URI of the database, password included. It is known before the server is ready: clients wait for the server
    themselves."""
    host: str
    """The host name of the server, as pods reach it."""
    password: pulumi.Output[str]
    server: KubernetesObject

    def __init__(self, name: str, site: Site, args: PostgresArgs) -> None:
        super().__init__(name, site)
        labels, settings = site.labels, site.settings.postgres
        self._meta = pods.metadata(name, args.namespace.name, labels)
        self.password = password = derive(site.seed, f"postgres/{name}", settings.password_version)
        passive = self.passive(args.namespace.resource)
        account = args.namespace.account(name, labels)
        before = [
            KubernetesObject(name, account, passive),
            KubernetesObject(name, pods.secret(self._meta, {"password": password}), passive),
            KubernetesObject(name, pods.service(self._meta, PORT, clusterIP="None"), passive),
            KubernetesObject(
                name, network.ingress_from(name, args.namespace.name, labels, PORT, args.clients), passive
            ),
            volume.declare(self, name, claim(name), settings.storage, args.namespace.name, [args.namespace.resource]),
        ]
        server = self._server(name, args, fingerprint(site.seed, password))
        self.server = KubernetesObject(name, server, self.child(depends_on=before))
        self.host = f"{name}.{args.namespace.name}.svc.cluster.local"
        address = f"@{self.host}:{PORT}/{args.database}"
        self.uri = pulumi.Output.concat(f"postgresql://{args.database}:", password, address)
        self.register_outputs({"uri": self.uri})

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return needs("postgres", NAMESPACE, settings)

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
        volumes = [pods.scratch(), pods.claimed("data", claim(name))]
        pod = pods.pod(name, [server], volumes=volumes, terminationGracePeriodSeconds=60)
        return volume.server(self._meta, mark, pod)


def claim(name: str) -> str:
    """The name of the server's claim, which is the one that a StatefulSet with a claim template gives its first
    pod."""
    return f"data-{name}-0"


def needs(name: str, namespace: str, settings: PlatformSettings) -> Needs:
    """The needs of the server `name` in `namespace`."""
    size = settings.postgres.storage
    data = Volume(setting="postgres.storage", namespace=namespace, claim=claim(name), size=size)
    return Needs(images=("postgres",), volumes=(data,))
