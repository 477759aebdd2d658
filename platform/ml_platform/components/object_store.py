"""The object store: S3 by versitygw on one volume.

This component owns the server, its accounts and their buckets. Keys are derived from the seed. Each account may use its
own buckets only, and a Job makes them with the account's key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform import network, pods
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.component import NAMED_ANEW, after
from ml_platform.components import volume
from ml_platform.components.gateway import Gateway
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.configuration import Resources
from ml_platform.handle import ObjectStoreAccess
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.passwords import derive, fingerprint
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE = "storage"
PORT = 7070
REGION = "us-east-1"
ROOT = "root"
CLAIM = "data-s3-0"
"""The claim's name, which is the one that a StatefulSet with a claim template gives its first pod."""


@dataclass(frozen=True, kw_only=True)
class ObjectStoreArgs:
    accounts: Mapping[str, Sequence[str]]
    """The buckets of each account."""
    gateway: Gateway
    clients: Sequence[Mapping[str, Any]]
    """The peers, as a NetworkPolicy has them, that may connect."""


class ObjectStore(PlatformComponent):
    token = "ml-platform:data:ObjectStore"  # noqa: S105 - a type token

    access: Mapping[str, ObjectStoreAccess]
    """The access of each account. Its endpoint is an Output that resolves when the buckets exist."""

    def __init__(self, name: str, site: Site, args: ObjectStoreArgs) -> None:
        super().__init__(name, site)
        self._name, self._args, self._settings = name, args, site.settings.object_store
        self._namespace = namespace = site.namespace(NAMESPACE)
        self._meta = pods.metadata(name, namespace.name, site.labels)
        self._keys = {
            account: derive(site.seed, f"object-store/{account}", self._settings.password_version)
            for account in (ROOT, *args.accounts)
        }
        self._users = self._accounts()
        self.endpoint = f"http://{name}.{namespace.name}.svc.cluster.local:{PORT}"
        passive = self.passive(namespace.resource)
        account = namespace.account(name, site.labels)
        policy = network.ingress_from(name, namespace.name, site.labels, PORT, self._clients())
        before = [
            KubernetesObject(name, manifest, passive)
            for manifest in (account, self._secret(), pods.service(self._meta, PORT), policy)
        ]
        data = volume.declare(self, name, CLAIM, self._settings.storage, NAMESPACE, [namespace.resource])
        server = KubernetesObject(name, self._server(), self.child(depends_on=[*before, data]))
        domain = site.settings.gateway.domain
        route = args.gateway.route(self._meta, PORT, [f"s3.{domain}", domain])
        KubernetesObject(name, route, self.child(depends_on=[server, *args.gateway.routable]))
        buckets = KubernetesObject(f"{name}-buckets", self._buckets(), self.child(depends_on=before, **NAMED_ANEW))
        self.access = {
            owner: ObjectStoreAccess(
                endpoint=after(self.endpoint, server, buckets),
                region=pulumi.Output.from_input(REGION),
                access_key=pulumi.Output.from_input(owner),
                secret_key=self._keys[owner],
                buckets=tuple(owned),
                checksums=pulumi.Output.from_input("when_supported"),
            )
            for owner, owned in args.accounts.items()
        }
        self.register_outputs({"endpoint": self.endpoint})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.object_store.source == "own"

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        size = settings.object_store.storage
        data = Volume(setting="object_store.storage", namespace=NAMESPACE, claim=CLAIM, size=size)
        return Needs(images=("training", "versitygw"), namespaces=(NAMESPACE,), hosts=("s3", ""), volumes=(data,))

    def _clients(self) -> list[Mapping[str, Any]]:
        return [*self._args.clients, {"podSelector": {"matchLabels": {"app": f"{self._name}-buckets"}}}]

    def _accounts(self) -> pulumi.Output[str]:
        # Accounts of role userplus may make buckets, and use those that they made.
        users = {
            account: {"access": account, "secret": key, "role": "userplus"}
            for account, key in self._keys.items()
            if account != ROOT
        }
        return pulumi.Output.json_dumps({"accessAccounts": users}, sort_keys=True)

    def _secret(self) -> dict[str, Any]:
        return pods.secret(self._meta, {"users.json": self._users, **self._keys})

    def _server(self) -> dict[str, Any]:
        name = self._name
        server = pods.container(
            "versitygw",
            self.site.images["versitygw"],
            self._settings.resources,
            env={"ROOT_ACCESS_KEY_ID": ROOT, "ROOT_SECRET_ACCESS_KEY": pods.secret_key(name, ROOT)},
            mounts={"data": "/data", "accounts": "/accounts", "tmp": "/tmp"},  # noqa: S108 - the container's own
            args=["--port", f":{PORT}", "--health", "/health", "--iam-dir", "/accounts", "posix", "/data"],
            ports=[{"name": "s3", "containerPort": PORT}],
            readinessProbe=pods.probe(PORT, "/health"),
        )
        accounts = {"secretName": name, "items": [{"key": "users.json", "path": "users.json"}]}
        volumes = [pods.scratch(), {"name": "accounts", "secret": accounts}, pods.claimed("data", CLAIM)]
        mark = fingerprint(self.site.seed, self._users, self._keys[ROOT])
        return volume.server(self._meta, mark, pods.pod(name, [server], volumes=volumes))

    def _buckets(self) -> dict[str, Any]:
        """The Job that makes missing buckets, with one container for each account."""
        args = self._args
        containers = [self._bucket_container(account, buckets) for account, buckets in args.accounts.items() if buckets]
        spec = pods.pod(self._name, containers, volumes=[pods.scratch()])
        name = f"{self._name}-buckets"
        return pods.job(name, self._namespace.name, self.site.labels, spec, run=pods.digest(spec))

    def _bucket_container(self, account: str, buckets: Sequence[str]) -> dict[str, Any]:
        return pods.container(
            account,
            self.site.images["training"],
            Resources(memory="64Mi", memory_limit="256Mi"),
            env={
                "AWS_ENDPOINT_URL_S3": self.endpoint,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ACCESS_KEY_ID": account,
                "AWS_SECRET_ACCESS_KEY": pods.secret_key(self._name, account),
            },
            mounts={"tmp": "/tmp"},  # noqa: S108 - the container's own
            args=["ml_runtime.buckets", *buckets],
        )


def url_on(template: str, domain: str) -> str:
    """The object store's URL on the gateway, whose URLs follow `template`. On localhost it is the bare domain, since
    Python resolves no name below localhost."""
    url = template.format(host="s3")
    return url.replace("//s3.", "//") if domain == "localhost" else url
