"""Istio as the gateway: its control plane, and one Envoy through which every request enters.

This component owns the bundles, the Gateway of the Gateway API (bound to the Service of the bundle), its certificate
and the access policies. Pods get a sidecar only where their namespace asks for one. Routes belong to the components
that declare them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform.bundles.catalog import PodSecurity
from ml_platform.bundles.transforms import (
    Transform,
    annotated,
    config_yaml,
    environment,
    host_port,
    merged,
    service_type,
)
from ml_platform.components import access, istio_answers
from ml_platform.components.certificate import SECRET, CertificateArgs, GatewayCertificate, issuing
from ml_platform.components.foreign import Foreign
from ml_platform.components.gateway import unserved, url
from ml_platform.components.leftovers import Leftovers
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.settings import TlsSettings
from ml_platform.settings.kubeflow import USER_HEADER
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

NAMESPACE = "istio-system"
SERVICE = "istio-ingressgateway"
ENTRY = "gateway"
PODS = {"istio": "ingressgateway"}
"""The labels of the gateway's pods."""
BUNDLES = ("istio-base", "istiod", "istio-gateway")
API = "gateway.networking.k8s.io/v1"
HTTP, HTTPS = 80, 443


class Istio(Foreign):
    token = "ml-platform:gateway:Istio"  # noqa: S105 - a type token

    namespace: str
    service: str
    url: str
    reference: str
    routable: Sequence[pulumi.Resource]
    certificate: GatewayCertificate | None = None

    def __init__(self, name: str, site: Site, routes: Sequence[pulumi.Resource] = ()) -> None:
        """`routes` are the CRDs of the Gateway API."""
        super().__init__(name, site)
        self._settings, self._routes = site.settings.gateway, routes
        self.namespace, self.service, self.reference = NAMESPACE, SERVICE, f"{NAMESPACE}/{ENTRY}"
        self.url = url(self._settings)
        self._bundles()
        secrets = self._declare_certificate(self._settings.https) if self._settings.https else []
        policies = [
            self._declare("security.istio.io/v1", kind, ENTRY, spec)
            for kind, spec in access.policies(self._settings, PODS, HTTP, _claims(site.settings)).items()
        ]
        self._declare(istio_answers.API, "EnvoyFilter", ENTRY, self._answer_spec())
        entry = self._declare(API, "Gateway", ENTRY, self._gateway_spec(), *self._gateway_class(), *secrets, *policies)
        self.routable = [entry]
        if self._settings.https:
            self._declare(API, "HTTPRoute", "redirect", self._redirect_spec(), entry)
        self.ready.append(entry)
        self.register_outputs({"namespace": self.namespace, "url": self.url})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.gateway.ingress == "istio"

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=BUNDLES)

    def route(
        self, meta: Mapping[str, Any], port: int, hosts: Sequence[str], paths: Sequence[str] = ("/",)
    ) -> dict[str, Any]:
        matches = [{"path": {"type": "PathPrefix", "value": path}} for path in paths]
        narrowed = {} if "/" in paths else {"matches": matches}
        return {
            "apiVersion": API,
            "kind": "HTTPRoute",
            "metadata": meta,
            "spec": {
                "parentRefs": [{"name": ENTRY, "namespace": NAMESPACE}],
                "hostnames": list(hosts),
                "rules": [{**narrowed, "backendRefs": [{"name": meta["name"], "port": port}]}],
            },
        }

    def _bundles(self) -> None:
        before = [*self._routes]
        if "istiod" not in self.site.releases.existing:
            marks, options = {"istio.io/config": "true"}, self.child(depends_on=before)
            before = [Leftovers("istiod", labels=marks, kubeconfig=self.site.cluster.kubeconfig, opts=options)]
        # The baseline standard forbids host ports.
        level: PodSecurity | None = "privileged" if self._settings.host_port else None
        for bundle, transforms in zip(BUNDLES, ([], _control_plane(), self._exposure()), strict=True):
            self.install(bundle, transforms=transforms, pod_security=level, after=[*before, *self.ready[-1:]])

    def _declare_certificate(self, tls: TlsSettings) -> Sequence[pulumi.Resource]:
        args = CertificateArgs(
            tls=tls,
            issuing=issuing(self.site),
            namespace=NAMESPACE,
            labels=self.site.labels,
            solver={
                "gatewayHTTPRoute": {"parentRefs": [{"name": ENTRY, "namespace": NAMESPACE, "sectionName": "http"}]}
            },
            after=self.ready,
        )
        self.certificate = GatewayCertificate("gateway-tls", args, self.child())
        return self.certificate.ready

    def _gateway_class(self) -> list[KubernetesObject]:
        """The GatewayClass of the Gateway. A control plane that the cluster already has made its own."""
        if "istiod" in self.site.releases.existing:
            return []
        return [self._declare(API, "GatewayClass", "istio", {"controllerName": "istio.io/gateway-controller"})]

    def _exposure(self) -> list[Transform]:
        """The transforms that open the gateway to the outside: by host ports, or by a load balancer."""
        settings = self._settings
        if not settings.host_port:
            balancer = self.site.cluster.load_balancer
            return [
                annotated("Service", SERVICE, balancer.annotated),
                merged("Service", SERVICE, {"spec": balancer.spec(settings.networks)}),
            ]
        host_ports = {HTTP: settings.host_port, HTTPS: settings.https.host_port if settings.https else None}
        return [
            service_type(SERVICE, "ClusterIP"),
            *(host_port("Deployment", SERVICE, port, at, settings.bind) for port, at in host_ports.items() if at),
            # Two pods can't have the same host port.
            merged("Deployment", SERVICE, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}),
            merged("HorizontalPodAutoscaler", SERVICE, {"spec": {"maxReplicas": 1}}),
        ]

    def _answer_spec(self) -> dict[str, Any]:
        text = unserved(self._settings, self.site.needs.hosts, istio_answers.HOST)
        return istio_answers.envoy_filter(PODS, text)

    def _gateway_spec(self) -> dict[str, Any]:
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
        """The hosts of the HTTPS listeners; none is all hosts. Knative has a Gateway of its own for all hosts on the
        same ports, and Envoy drops one of two such listeners, so beside it each host is named."""
        shared = self.site.settings.serving.mode == "knative"
        return self._settings.hosts if shared and self._settings.https else ()

    def _redirect_spec(self) -> dict[str, Any]:
        port = self._settings.https.host_port if self._settings.https else None
        redirect = {"scheme": "https", "port": port or HTTPS, "statusCode": 301}
        return {
            "parentRefs": [{"name": ENTRY, "sectionName": "http"}],
            "rules": [{"filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]}],
        }

    def _meta(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": NAMESPACE, "labels": dict(self.site.labels)}

    def _declare(
        self, api: str, kind: str, name: str, spec: Mapping[str, Any], *before: pulumi.Resource
    ) -> KubernetesObject:
        meta = self._meta(name)
        if kind == "GatewayClass":
            del meta["namespace"]
        manifest = {"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec}
        options = self.child(depends_on=[*self._routes, *self.ready, *before])
        return KubernetesObject(f"istio-{name}", manifest, options)


def _claims(settings: PlatformSettings) -> dict[str, str]:
    """The headers by which pages are told who somebody is, each with the claim of the token that it gets."""
    return {USER_HEADER: settings.kubeflow.user_claim} if settings.kubeflow else {}


def _control_plane() -> list[Transform]:
    return [
        # Builds of Envoy other than Istio's lack the filter `istio.stats` and refuse every listener that names it. The
        # default metrics provider adds it; Envoy counts requests without it too.
        config_yaml("istio", "mesh", {"defaultProviders": None}),
        environment(
            "Deployment",
            "istiod",
            {
                # The stack declares the one GatewayClass that it uses; those that istiod makes would stay behind.
                "PILOT_ENABLE_GATEWAY_API_GATEWAYCLASS_CONTROLLER": "false",
                # istiod fetches an issuer's keys again after this time when it failed to; the default is 20 minutes.
                "PILOT_JWT_PUB_KEY_REFRESH_INTERVAL": "1m",
            },
        ),
    ]
