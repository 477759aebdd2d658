"""PostgreSQL: one database on one volume, and the role that owns it.

It owns the server, its volume and its password. The namespace, and who may connect, come from whoever needs a database.
At each start the image brings the role's password to what the Secret says, so the two never differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import pods
from ml_platform.component import Component
from ml_platform.components.namespace import Namespace
from ml_platform.objects import KubernetesObject
from ml_platform.passwords import derive, fingerprint
from ml_platform.settings import PostgresSettings

PORT = 5432
VOLUME = "/var/lib/postgresql"
CLAIM = "data-postgres-0"
"""As a StatefulSet calls the first volume of its own."""


@dataclass(frozen=True, kw_only=True)
class PostgresArgs:
    namespace: Namespace
    labels: Mapping[str, str]
    image: str
    seed: pulumi.Input[str]
    settings: PostgresSettings
    storage_class: str | None
    protected: bool
    """Whether its volume is neither removed nor replaced."""
    database: str
    """Also the name of the role that owns it."""
    clients: tuple[str, ...]
    """Values of the label `app` of those pods in the namespace that may connect."""


class Postgres(Component):
    token = "ml-platform:data:Postgres"  # noqa: S105 - a type token

    uri: pulumi.Output[str]
    """Where clients connect, password included. Known before the server is ready: they wait for it themselves."""
    server: KubernetesObject

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._meta = pods.metadata(name, args.namespace.name, args.labels)
        password = derive(args.seed, f"postgres/{name}", args.settings.password_version)
        passive = self.child(deleted_with=args.namespace.resource)
        account = args.namespace.account(name, args.labels)
        clients = [{"podSelector": {"matchLabels": {"app": client}}} for client in args.clients]
        before = [
            KubernetesObject(name, account, passive),
            KubernetesObject(name, pods.secret(self._meta, {"password": password}), passive),
            KubernetesObject(name, pods.service(self._meta, PORT, clusterIP="None"), passive),
            KubernetesObject(name, pods.ingress_from(name, args.namespace.name, args.labels, PORT, clients), passive),
            self._volume(name, args),
        ]
        server = self._server(name, args, fingerprint(args.seed, password))
        self.server = KubernetesObject(name, server, self.child(depends_on=before))
        host = f"{name}.{args.namespace.name}.svc.cluster.local"
        self.uri = pulumi.Output.concat(f"postgresql://{args.database}:", password, f"@{host}:{PORT}/{args.database}")
        self.register_outputs({"uri": self.uri})

    def _volume(self, name: str, args: PostgresArgs) -> KubernetesObject:
        claim = pods.claim({**self._meta, "name": CLAIM}, args.settings.storage, args.storage_class)
        held: dict[str, Any] = {"protect": args.protected, "ignore_changes": pods.KEPT_BY_CLAIMS}
        return KubernetesObject(name, claim, self.child(depends_on=args.namespace.resource, **held))

    def _server(self, name: str, args: PostgresArgs, secrets: pulumi.Output[str]) -> dict[str, Any]:
        settings = args.settings
        server = pods.container(
            "postgres",
            args.image,
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
        template = {
            "metadata": {"labels": {"app": name}, **pods.restarted_by(secrets)},
            "spec": pods.pod(name, [server], volumes=volumes, terminationGracePeriodSeconds=60),
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": self._meta,
            "spec": {
                "serviceName": name,
                "replicas": 1,
                # The other policy never replaces a pod that does not get ready, a mended one neither.
                "podManagementPolicy": "Parallel",
                "selector": {"matchLabels": {"app": name}},
                "template": template,
            },
        }
