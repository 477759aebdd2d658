"""The collector of requests: it takes those of the model servers of its namespace in batches, and puts them into the
object store.

It owns the Deployment, its settings, and who may connect. It is the only pod between model servers and the object
store, for which these have no key. What it does with a request is the business of ml_runtime.collector.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform import network, pods
from ml_platform.component import Component
from ml_platform.configuration import Resources, require_secret
from ml_platform.labels import SERVICE
from ml_platform.objects import KubernetesObject

from ml_workloads.recorded import COLLECTOR, PORT
from ml_workloads.requests_settings import KeptSettings, RequestsSettings
from ml_workloads.storage import content_version
from ml_workloads.workspace import Workspace

FILE, FOLDER = "collector.json", "/etc/ml-platform"
SECRET = "requests_key"  # noqa: S105 - the name of a secret of the stack
SIZE = Resources(cpu="20m", memory="96Mi", cpu_limit="1", memory_limit="256Mi")


@dataclass(frozen=True, kw_only=True)
class CollectorArgs:
    workspace: Workspace
    settings: RequestsSettings
    services: Mapping[str, KeptSettings]
    """What is kept of each block of `serving`."""


class Collector(Component):
    token = "ml-platform:workloads:Collector"  # noqa: S105 - a type token

    def __init__(self, name: str, args: CollectorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args, workspace = args, args.workspace
        self._meta = pods.metadata(COLLECTOR, workspace.name, workspace.labels)
        passive = self.child(deleted_with=workspace.namespace, depends_on=[workspace.namespace])
        before = [
            KubernetesObject(name, manifest, passive)
            for manifest in (
                workspace.account(COLLECTOR),
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._meta, "data": {FILE: self._rules()}},
                pods.service(self._meta, PORT),
                network.ingress_from(COLLECTOR, workspace.name, workspace.labels, PORT, [_servers()]),
            )
        ]
        hashing = [pods.secret(self._meta, {"key": self._key()})] if self._hashes else []
        secrets = [KubernetesObject(name, manifest, passive) for manifest in hashing]
        read = [*workspace.keys, *secrets]
        mark = pulumi.Output.concat(pods.digest(self._rules()), *map(content_version, read))
        KubernetesObject(name, self._server(mark), self.child(depends_on=[*workspace.ready, *before, *secrets]))
        self.register_outputs({})

    @property
    def _hashes(self) -> bool:
        return any(each.hash for each in self._args.services.values())

    def _key(self) -> pulumi.Output[str]:
        return require_secret(pulumi.Config(), SECRET, "a long random text that kept columns are hashed with")

    def _rules(self) -> str:
        services = {
            name: {"drop": list(each.drop), "hash": list(each.hash), "keep": each.days}
            for name, each in self._args.services.items()
        }
        return json.dumps({"uri": self._args.settings.uri, "services": services}, indent=2, sort_keys=True)

    def _server(self, mark: pulumi.Output[str]) -> dict[str, Any]:
        workspace = self._args.workspace
        key = {"ML_REQUESTS_KEY": pods.secret_key(COLLECTOR, "key")} if self._hashes else {}
        server = pods.container(
            COLLECTOR,
            workspace.platform.image("training"),
            SIZE,
            # Memory that one batch has used goes back when it is done.
            env={**workspace.environment(), "ARROW_DEFAULT_MEMORY_POOL": "system", **key},
            mounts={"settings": FOLDER, "tmp": "/tmp"},  # noqa: S108 - the container's own
            reads=("settings",),
            args=["ml_runtime.collector"],
            ports=[{"name": "http", "containerPort": PORT}],
            readinessProbe=pods.probe(PORT, "/health"),
            livenessProbe=pods.probe(PORT, "/health", periodSeconds=10, failureThreshold=6),
        )
        volumes = [{"name": "settings", "configMap": {"name": COLLECTOR}}, pods.scratch(size="16Mi")]
        template = {
            "metadata": {"labels": {"app": COLLECTOR}, **pods.restarted_by(mark)},
            "spec": pods.pod(COLLECTOR, [server], volumes=volumes),
        }
        spec = {
            "replicas": 1,
            "revisionHistoryLimit": 2,
            "selector": {"matchLabels": {"app": COLLECTOR}},
            "template": template,
        }
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": self._meta, "spec": spec}


def _servers() -> dict[str, Any]:
    """The pods of served models, as a NetworkPolicy has them."""
    return {"podSelector": {"matchExpressions": [{"key": SERVICE, "operator": "Exists"}]}}
