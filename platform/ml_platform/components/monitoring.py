"""Metrics, dashboards and alerts: by VictoriaMetrics on a volume, or by the Prometheus Operator that the cluster has.

This component owns the server, its rights and its route. What is looked at, drawn and told is in `metrics`.
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from ml_platform import network, pods
from ml_platform.bundles.preflight.volumes import Volume
from ml_platform.components import volume
from ml_platform.components.gateway import Gateway
from ml_platform.components.namespace import Namespace
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.configuration import Resources
from ml_platform.metrics import alerts, dashboards, monitors, scrape
from ml_platform.metrics.targets import targets
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.passwords import derive, fingerprint
from ml_platform.settings.monitoring import MonitoringSettings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE = "monitoring"
NAME, CLAIM = "metrics", "data-metrics-0"
PORT, ALERTS = scrape.SELF["metrics"], scrape.SELF["alerts"]
FOLDER, DRAWN = "/etc/metrics", "/etc/dashboards"
RBAC = "rbac.authorization.k8s.io"
PATHS = ("/vmui", "/vmalert", "/graph", "/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels",
         "/api/v1/label", "/api/v1/metadata", "/api/v1/status", "/api/v1/rules", "/api/v1/alerts")  # fmt: skip
"""What is reached from outside: the web page and what it asks. What writes, imports or deletes is not."""
READ = ["get", "list", "watch"]
KEYS = ("config", "delete", "flags", "forceFlush", "forceMerge", "pprof", "reload", "snapshot")
"""What only who has the key may have done by the server, in the cluster too."""


class Monitoring(PlatformComponent):
    token = "ml-platform:monitoring:Monitoring"  # noqa: S105 - a type token

    url: str | None = None
    """The dashboards; None where the cluster's own server has the metrics."""

    def __init__(self, name: str, site: Site, gateway: Gateway, settings: MonitoringSettings) -> None:
        super().__init__(name, site)
        self._settings = settings
        self._targets = targets(site.settings)
        self._alerts = alerts.alerts(self._targets)
        if self._settings.source == "own":
            self.url = self._own(gateway, site.namespace(NAMESPACE))
        else:
            self._existing(self._settings.namespace)
        self.register_outputs({"url": self.url})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.monitoring is not None

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        chosen = settings.monitoring
        if chosen is None or chosen.source != "own":
            return Needs()
        data = Volume(setting="monitoring.storage", namespace=NAMESPACE, claim=CLAIM, size=chosen.storage)
        images = ("victoria-metrics", "vmalert")
        return Needs(images=images, namespaces=(NAMESPACE,), hosts=(NAME,), volumes=(data,))

    def _existing(self, namespace: str) -> None:
        """Waits for the preflight, as all that the platform declares does."""
        opts, labels = self.child(depends_on=self.site.releases.after), {**self.site.labels, **self._settings.labels}
        for target in self._targets:
            meta = pods.metadata(target.job, namespace, labels)
            KubernetesObject(target.job, monitors.pod_monitor(target, meta, self._settings.interval), opts)
        rule = monitors.prometheus_rule(self._alerts, pods.metadata("ml-platform", namespace, labels))
        KubernetesObject("alerts", rule, opts)

    def _own(self, gateway: Gateway, namespace: Namespace) -> str:
        meta, site = pods.metadata(NAME, NAMESPACE, self.site.labels), self.site
        passive = self.passive(namespace.resource)
        keys = {key: derive(site.seed, f"metrics/{key}", 1) for key in KEYS}
        files = self._files()
        sources = [network.from_namespace(gateway.namespace)]
        manifests = (
            namespace.account(NAME, site.labels),
            pods.secret(meta, keys),
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": files},
            pods.service(meta, PORT),
            network.ingress_from(NAME, NAMESPACE, site.labels, PORT, sources),
        )
        before = [KubernetesObject(NAME, each, passive) for each in manifests]
        before += [KubernetesObject(NAME, each, self.child()) for each in _rights(site.labels)]
        before.append(volume.declare(self, NAME, CLAIM, self._settings.storage, NAMESPACE, [namespace.resource]))
        mark = pulumi.Output.concat(pods.digest(files), fingerprint(site.seed, *keys.values()))
        server = KubernetesObject(NAME, volume.server(meta, mark, self._pod(files)), self.child(depends_on=before))
        host = f"{NAME}.{site.settings.gateway.domain}"
        route = gateway.route(meta, PORT, [host], PATHS)
        KubernetesObject(NAME, route, self.child(depends_on=[server, *gateway.routable]))
        return f"{gateway.url.format(host=NAME)}/vmui/#/dashboards"

    def _files(self) -> dict[str, str]:
        """The configuration of both servers, which read JSON where they want YAML."""
        drawn = [dashboards.of_vmui(each) for each in dashboards.dashboards(self._targets)]
        found: dict[str, Any] = {
            "scrape.yml": scrape.configuration(self._targets, self._settings.interval),
            "alerts.yml": {"groups": alerts.groups(self._alerts)},
            **{f"{each['title'].lower()}.json": each for each in drawn},
        }
        return {name: json.dumps(content, sort_keys=True) for name, content in found.items()}

    def _pod(self, files: Mapping[str, str]) -> dict[str, Any]:
        titles = [name for name in files if name.endswith(".json")]
        metrics = pods.container(
            NAME,
            self.site.images["victoria-metrics"],
            self._settings.resources,
            mounts={"data": "/data", "files": FOLDER, "dashboards": DRAWN, "keys": "/keys"} | {"token": scrape.ACCOUNT},
            reads=("files", "dashboards", "keys", "token"),
            args=_server_flags(self._settings),
            ports=[{"name": "http", "containerPort": PORT}],
            readinessProbe=pods.probe(PORT, "/health"),
        )
        small = Resources(cpu="10m", memory="24Mi", cpu_limit="500m", memory_limit="128Mi")
        told = pods.container(
            "alerts", self.site.images["vmalert"], small, mounts={"files": FOLDER}, reads=("files",), args=_ALERT_FLAGS
        )
        read = {"name": NAME, "items": [{"key": name, "path": name} for name in ("scrape.yml", "alerts.yml")]}
        drawn = {"name": NAME, "items": [{"key": name, "path": name} for name in titles]}
        volumes = [
            pods.claimed("data", CLAIM),
            {"name": "files", "configMap": read},
            {"name": "dashboards", "configMap": drawn},
            {"name": "keys", "secret": {"secretName": NAME}},
            pods.token("token"),
        ]
        return pods.pod(NAME, [metrics, told], volumes=volumes, terminationGracePeriodSeconds=30)


ROLE = "ml-platform-metrics"
_ALERT_FLAGS = [
    f"-datasource.url=http://127.0.0.1:{PORT}",
    f"-remoteWrite.url=http://127.0.0.1:{PORT}",
    f"-remoteRead.url=http://127.0.0.1:{PORT}",
    f"-httpListenAddr=:{ALERTS}",
    f"-rule={FOLDER}/alerts.yml",
    # Alerts are shown, and kept as series; nobody is written to.
    "-notifier.blackhole",
]


def _server_flags(settings: MonitoringSettings) -> list[str]:
    return [
        "-storageDataPath=/data",
        f"-httpListenAddr=:{PORT}",
        f"-retentionPeriod={settings.retention}",
        f"-promscrape.config={FOLDER}/scrape.yml",
        # A pod is found once for each of its ports, and looked at once.
        "-promscrape.suppressDuplicateScrapeTargetErrors",
        f"-vmui.customDashboardsPath={DRAWN}",
        f"-vmalert.proxyURL=http://127.0.0.1:{ALERTS}",
        *(f"-{key}AuthKey=file:///keys/{key}" for key in KEYS),
    ]


def _rights(labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Finding pods and nodes, and reading the metrics of kubelets and of the API server."""
    meta = {"name": ROLE, "labels": dict(labels)}
    rules = [
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": READ},
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": ROLE}
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": meta, "roleRef": role}
        | {"subjects": [subject]},
    ]
