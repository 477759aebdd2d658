"""Istio as the gateway: its control plane, and one Envoy through which everything is reached.

It owns the bundles, the entry (a Gateway of the Gateway API, bound to the Service of the release), its certificate, and
who may pass. No pod gets a sidecar unless its namespace asks for one. The routes belong to whoever declares them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.bundles.catalog import PodSecurity
from ml_platform.bundles.transforms import Transform, config_yaml, environment, host_port, merged, service_type
from ml_platform.clusters.cluster import LoadBalancer
from ml_platform.components import access
from ml_platform.components.certificate import SECRET, CertificateArgs, GatewayCertificate, Issuing
from ml_platform.components.foreign import Foreign, ForeignArgs
from ml_platform.components.gateway import url
from ml_platform.components.leftovers import Leftovers
from ml_platform.objects import KubernetesObject
from ml_platform.settings import GatewaySettings, TlsSettings

NAMESPACE = "istio-system"
SERVICE = "istio-ingressgateway"
ENTRY = "gateway"
API = "gateway.networking.k8s.io/v1"
HTTP, HTTPS = 80, 443


@dataclass(frozen=True, kw_only=True)
class IstioArgs(ForeignArgs):
    settings: GatewaySettings
    load_balancer: LoadBalancer
    issuing: Issuing
    shared: bool
    """Whether Knative listens on the same ports for all hosts: then the entry is for the platform's own alone."""


class Istio(Foreign):
    token = "ml-platform:gateway:Istio"  # noqa: S105 - a type token

    namespace: str
    service: str
    url: str
    reference: str
    routable: Sequence[pulumi.Resource]
    certificate: GatewayCertificate | None = None

    def __init__(self, name: str, args: IstioArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args, self._settings = args, args.settings
        self.namespace, self.service, self.reference = NAMESPACE, SERVICE, f"{NAMESPACE}/{ENTRY}"
        self.url = url(args.settings)
        self._bundles()
        secrets = self._certified(self._settings.https) if self._settings.https else []
        guards = [
            self._declare("security.istio.io/v1", kind, ENTRY, spec)
            for kind, spec in access.policies(self._settings, {"istio": "ingressgateway"}, HTTP).items()
        ]
        entry = self._declare(API, "Gateway", ENTRY, self._entry(), *self._class(), *secrets, *guards)
        self.routable = [entry]
        if self._settings.https:
            self._declare(API, "HTTPRoute", "redirect", self._redirect(), entry)
        self.ready.append(entry)
        self.register_outputs({"namespace": self.namespace, "url": self.url})

    def route(self, meta: Mapping[str, Any], port: int, hosts: Sequence[str]) -> dict[str, Any]:
        return {
            "apiVersion": API,
            "kind": "HTTPRoute",
            "metadata": meta,
            "spec": {
                "parentRefs": [{"name": ENTRY, "namespace": NAMESPACE}],
                "hostnames": list(hosts),
                "rules": [{"backendRefs": [{"name": meta["name"], "port": port}]}],
            },
        }

    def _bundles(self) -> None:
        installation = self._args.installation
        before = [*self._args.after]
        if "istiod" not in installation.existing:
            marks, options = {"istio.io/config": "true"}, self.child(depends_on=before)
            before = [Leftovers("istiod", labels=marks, kubeconfig=installation.kubeconfig, opts=options)]
        # The baseline standard forbids ports of the node.
        level: PodSecurity | None = "privileged" if self._settings.host_port else None
        for bundle, transforms in (("istio-base", []), ("istiod", _control()), ("istio-gateway", self._published())):
            self.install(
                bundle,
                BundleArgs(
                    installation=installation,
                    bundle=bundle,
                    transforms=transforms,
                    pod_security=level,
                    after=[*before, *self.ready[-1:]],
                ),
            )

    def _certified(self, tls: TlsSettings) -> Sequence[pulumi.Resource]:
        args = CertificateArgs(
            tls=tls,
            issuing=self._args.issuing,
            namespace=NAMESPACE,
            labels=self._args.installation.labels,
            solver={
                "gatewayHTTPRoute": {"parentRefs": [{"name": ENTRY, "namespace": NAMESPACE, "sectionName": "http"}]}
            },
            after=self.ready,
        )
        self.certificate = GatewayCertificate("gateway-tls", args, self.child())
        return self.certificate.ready

    def _class(self) -> list[KubernetesObject]:
        """The class of the entry; somebody else's control plane has made it by itself."""
        if "istiod" in self._args.installation.existing:
            return []
        return [self._declare(API, "GatewayClass", "istio", {"controllerName": "istio.io/gateway-controller"})]

    def _published(self) -> list[Transform]:
        """How the gateway is reached from outside: a port of the node, or a load balancer."""
        settings = self._settings
        if not settings.host_port:
            balancer = self._args.load_balancer
            marks = {"metadata": {"annotations": balancer.annotations}} if balancer.annotations else {}
            return [merged("Service", SERVICE, {**marks, "spec": balancer.spec(settings.networks)})]
        of_node = {HTTP: settings.host_port, HTTPS: settings.https.host_port if settings.https else None}
        return [
            service_type(SERVICE, "ClusterIP"),
            *(host_port("Deployment", SERVICE, port, at, settings.bind) for port, at in of_node.items() if at),
            # Two pods can't hold one port of the node.
            merged("Deployment", SERVICE, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}),
            merged("HorizontalPodAutoscaler", SERVICE, {"spec": {"maxReplicas": 1}}),
        ]

    def _entry(self) -> dict[str, Any]:
        address = {"type": "Hostname", "value": f"{SERVICE}.{NAMESPACE}.svc.cluster.local"}
        return {"gatewayClassName": "istio", "addresses": [address], "listeners": self._listeners()}

    def _listeners(self) -> list[dict[str, Any]]:
        def listener(name: str, port: int, source: str, **more: Any) -> dict[str, Any]:
            protocol = "HTTPS" if port == HTTPS else "HTTP"
            allowed = {"namespaces": {"from": source}}
            return {"name": name, "port": port, "protocol": protocol, "allowedRoutes": allowed, **more}

        if not self._settings.https:
            return [listener("http", HTTP, "All")]
        tls = {"mode": "Terminate", "certificateRefs": [{"name": SECRET}]}
        names = {f"https-{index}": {"hostname": host} for index, host in enumerate(self._hostnames())}
        secure = [listener(name, HTTPS, "All", tls=tls, **host) for name, host in (names or {"https": {}}).items()]
        return [listener("http", HTTP, "Same"), *secure]

    def _hostnames(self) -> Sequence[str]:
        """Of the entry, unless it is for all: of two that are, on one port of one Envoy with TLS, one is lost."""
        return self._settings.hosts if self._args.shared and self._settings.https else ()

    def _redirect(self) -> dict[str, Any]:
        port = self._settings.https.host_port if self._settings.https else None
        redirect = {"scheme": "https", "port": port or HTTPS, "statusCode": 301}
        return {
            "parentRefs": [{"name": ENTRY, "sectionName": "http"}],
            "rules": [{"filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}],
        }

    def _meta(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": NAMESPACE, "labels": dict(self._args.installation.labels)}

    def _declare(
        self, api: str, kind: str, name: str, spec: Mapping[str, Any], *before: pulumi.Resource
    ) -> KubernetesObject:
        meta = self._meta(name)
        if kind == "GatewayClass":
            del meta["namespace"]
        manifest = {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec}
        options = self.child(depends_on=[*self._args.after, *self.ready, *before])
        return KubernetesObject(f"istio-{name}", manifest, options)


def _control() -> list[Transform]:
    return [
        # Envoy as others build it has no `istio.stats`, and then refuses every listener; it counts requests itself.
        config_yaml("istio", "mesh", {"defaultProviders": None}),
        environment(
            "Deployment",
            "istiod",
            {
                # The stack declares the one class that it uses; others would be left behind.
                "PILOT_ENABLE_GATEWAY_API_GATEWAYCLASS_CONTROLLER": "false",
                # Keys that could not be had at first are tried again after this, and not after 20 minutes.
                "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL": "1m",
            },
        ),
    ]
