"""Traefik as the gateway.

Traefik has two roles: it serves predictions, by Knative's routes or by those of the Gateway API, and it is the
controller of Ingress class `traefik` for the user interfaces. This component owns the entry points and the classes;
routes belong to the components that declare them. Traefik's own CRDs are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from ml_platform import pods
from ml_platform.clusters.cluster import LoadBalancer
from ml_platform.components import mlflow
from ml_platform.components.certificate import SECRET, CertificateArgs, GatewayCertificate, issuing
from ml_platform.components.gateway import NAMESPACE, url
from ml_platform.components.platform_component import PlatformComponent
from ml_platform.components.traefik_answers import FOLDER, files
from ml_platform.components.traefik_flags import INTERNAL, PING, SECURE, WEB, flags
from ml_platform.components.traefik_rights import rules
from ml_platform.needs import Needs
from ml_platform.objects import KubernetesObject
from ml_platform.settings import TlsSettings
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

CLASS = "traefik"
PUBLIC, PRIVATE = "traefik", "traefik-internal"  # its Services
ANSWERS = "traefik-answers"


class Traefik(PlatformComponent):
    token = "ml-platform:gateway:Gateway"  # noqa: S105 - a type token

    namespace: str
    service: str
    url: str
    reference: str
    routable: Sequence[pulumi.Resource] = ()
    ready: list[pulumi.Resource]
    certificate: GatewayCertificate | None = None

    def __init__(self, name: str, site: Site, kinds: Sequence[pulumi.Resource] = ()) -> None:
        """`kinds` are the CRDs of its routes, which Traefik watches from its start."""
        super().__init__(name, site)
        self._name, self._settings, self._kinds = name, site.settings.gateway, kinds
        self.namespace, self.service, self.reference = name, PUBLIC, f"{name}/{name}"
        self.url = url(self._settings)
        namespace = self._declare("v1", "Namespace", name, labels=self._pod_security(), depends_on=site.releases.after)
        access = self._rights(namespace)
        services = [
            self._service(
                PUBLIC,
                self._public_ports(),
                namespace,
                None if self._settings.host_port else site.cluster.load_balancer,
            ),
            self._service(PRIVATE, {"http": (80, INTERNAL)}, namespace),
        ]
        if self._settings.https:
            services.append(self._declare_certificate(self._settings.https, namespace))
        answers = files(self._settings, self.site.needs.hosts, mlflow.URL)
        in_namespace: dict[str, Any] = {"deleted_with": namespace, "depends_on": [namespace]}
        before = [*access, *services, *kinds, self._declare("v1", "ConfigMap", ANSWERS, **in_namespace, data=answers)]
        deployment = self._deployment(pods.digest(answers))
        self.ready = [self._declare("apps/v1", "Deployment", PUBLIC, depends_on=before, spec=deployment)]
        self._declare(
            "networking.k8s.io/v1", "IngressClass", CLASS, spec={"controller": "traefik.io/ingress-controller"}
        )
        if site.settings.serving.mode == "standard":
            self._gateway()
        self.register_outputs({"namespace": self.namespace, "url": self.url})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.gateway.ingress == "traefik"

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        ingress_class = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": CLASS}}
        return Needs(images=("traefik",), namespaces=(NAMESPACE,), objects=(ingress_class,))

    def route(
        self, meta: Mapping[str, Any], port: int, hosts: Sequence[str], paths: Sequence[str] = ("/",)
    ) -> dict[str, Any]:
        backend = {"service": {"name": meta["name"], "port": {"number": port}}}
        http = {"paths": [{"path": path, "pathType": "Prefix", "backend": backend} for path in paths]}
        rules = [{"host": host, "http": http} for host in hosts]
        tls = {"tls": [{"hosts": list(hosts)}]} if self._settings.https else {}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": meta,
            "spec": {"ingressClassName": CLASS, **tls, "rules": rules},
        }

    def _declare_certificate(self, tls: TlsSettings, namespace: pulumi.Resource) -> KubernetesObject:
        """The certificate, and an Ingress that loads it: Traefik serves routes without a Secret of their own with a
        loaded certificate that fits their host."""
        marks = {"traefik.ingress.kubernetes.io/router.entrypoints": "web"}
        args = CertificateArgs(
            tls=tls,
            issuing=issuing(self.site),
            namespace=self.namespace,
            labels=self.site.labels,
            solver={"ingress": {"ingressClassName": CLASS, "ingressTemplate": {"metadata": {"annotations": marks}}}},
            after=[*self.site.releases.after, namespace],
        )
        self.certificate = GatewayCertificate("gateway-tls", args, self.child())
        hosts = list(self._settings.certified)
        spec = {
            "ingressClassName": CLASS,
            "tls": [{"secretName": SECRET, "hosts": hosts}],
            "rules": [{"host": self._settings.domain}],
        }
        before = [namespace, *self.certificate.ready]
        return self._declare("networking.k8s.io/v1", "Ingress", "certificate", depends_on=before, spec=spec)

    def _public_ports(self) -> dict[str, tuple[int, int]]:
        """The ports of the public Service, by name: its own port, and the container's."""
        return {"http": (80, WEB), **({"https": (443, SECURE)} if self._settings.https else {})}

    def _gateway(self) -> None:
        """The Gateway to which routes of the Gateway API attach. Its listener has the port of Traefik's entry point."""
        group = "gateway.networking.k8s.io/v1"
        spec = {"controllerName": "traefik.io/gateway-controller"}
        tls = {"tls": {"mode": "Terminate", "certificateRefs": [{"name": SECRET}]}}
        how = (
            {"port": SECURE, "protocol": "HTTPS", **tls} if self._settings.https else {"port": WEB, "protocol": "HTTP"}
        )
        entry = {"name": "web", **how, "allowedRoutes": {"namespaces": {"from": "All"}}}
        chosen = self._declare(
            group, "GatewayClass", CLASS, depends_on=[*self.site.releases.after, *self._kinds], spec=spec
        )
        self.ready.append(
            self._declare(
                group,
                "Gateway",
                self._name,
                depends_on=[*self.ready, chosen],
                spec={"gatewayClassName": CLASS, "listeners": [entry]},
            )
        )

    def _rights(self, namespace: pulumi.Resource) -> list[KubernetesObject]:
        group = "rbac.authorization.k8s.io"
        name = f"{self._name}-traefik"
        in_namespace: dict[str, Any] = {"deleted_with": namespace, "depends_on": [namespace]}
        login = self.site.login
        if login is not None:
            KubernetesObject(
                f"{self._name}-{pods.REGISTRY}",
                pods.registry_login(self.namespace, self.site.labels, login),
                self.child(**in_namespace),
            )
        account = self._declare("v1", "ServiceAccount", PUBLIC, **in_namespace, **pods.pulls(login))
        role = self._declare(f"{group}/v1", "ClusterRole", name, rules=rules(self.site.settings.serving.mode))
        binding = self._declare(
            f"{group}/v1",
            "ClusterRoleBinding",
            name,
            depends_on=[role, account],
            roleRef={"apiGroup": group, "kind": "ClusterRole", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": PUBLIC, "namespace": self.namespace}],
        )
        return [account, binding]

    def _service(
        self,
        name: str,
        ports: Mapping[str, tuple[int, int]],
        namespace: pulumi.Resource,
        balancer: LoadBalancer | None = None,
    ) -> KubernetesObject:
        own = {"pulumi.com/skipAwait": "true"}
        return self._declare(
            "v1",
            "Service",
            name,
            deleted_with=namespace,
            depends_on=[namespace],
            # Pulumi must not wait for endpoints: the pods are declared after the Service.
            metadata={"annotations": balancer.annotated(own) if balancer else own},
            spec={
                **(balancer.spec(self._settings.networks) if balancer else {"type": "ClusterIP"}),
                "selector": {"app": PUBLIC},
                "ports": [{"name": each, "port": port, "targetPort": at} for each, (port, at) in ports.items()],
            },
        )

    def _deployment(self, answers: str) -> dict[str, Any]:
        # Two pods can't have the same host port.
        strategy: dict[str, Any] = (
            {"type": "Recreate"} if self._settings.host_port else {"rollingUpdate": {"maxUnavailable": 0}}
        )
        return {
            "replicas": 1,
            "revisionHistoryLimit": 2,
            "strategy": strategy,
            "selector": {"matchLabels": {"app": PUBLIC}},
            "template": {
                "metadata": {"labels": {"app": PUBLIC}, **pods.restarted_by(answers)},
                "spec": self._pod(),
            },
        }

    def _pod(self) -> dict[str, Any]:
        ping = {"path": "/ping", "port": "ping"}
        return {
            "serviceAccountName": PUBLIC,
            "enableServiceLinks": False,
            "volumes": [{"name": ANSWERS, "configMap": {"name": ANSWERS}}],
            "terminationGracePeriodSeconds": 10,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "traefik",
                    "image": self.site.images["traefik"],
                    "args": self._flags(),
                    "workingDir": "/",
                    "env": [{"name": "GOMEMLIMIT", "value": "128MiB"}],
                    "volumeMounts": [{"name": ANSWERS, "mountPath": FOLDER}],
                    "ports": [
                        *self._container_ports(),
                        {"name": "internal", "containerPort": INTERNAL},
                        {"name": "ping", "containerPort": PING},
                    ],
                    "readinessProbe": {"httpGet": ping, "periodSeconds": 1},
                    "livenessProbe": {"httpGet": ping, "initialDelaySeconds": 20, "failureThreshold": 6},
                    "resources": {
                        "requests": {"cpu": "50m", "memory": "64Mi"},
                        "limits": {"cpu": "2", "memory": "384Mi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        }

    def _flags(self) -> list[str]:
        mode, metrics = self.site.settings.serving.mode, self.site.settings.monitoring is not None
        return flags(self._settings, mode, self.namespace, (PUBLIC, PRIVATE), CLASS, metrics=metrics)

    def _container_ports(self) -> list[dict[str, Any]]:
        """The container's ports for requests from outside; on one machine, they have host ports."""
        settings = self._settings
        ports = {"web": (WEB, settings.host_port)}
        if settings.https:
            ports["websecure"] = (SECURE, settings.https.host_port)
        return [
            {"name": name, "containerPort": port, **({"hostPort": at, "hostIP": settings.bind} if at else {})}
            for name, (port, at) in ports.items()
        ]

    def _pod_security(self) -> dict[str, str]:
        # The baseline standard forbids host ports.
        level = "privileged" if self._settings.host_port else "restricted"
        return {"pod-security.kubernetes.io/enforce": level}

    def _declare(
        self,
        api_version: str,
        kind: str,
        name: str,
        *,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        deleted_with: pulumi.Resource | None = None,
        **fields: Any,
    ) -> KubernetesObject:
        marks = {**self.site.labels, **(labels or {})}
        identity = {"name": name, "namespace": self.namespace, "labels": marks, **(metadata or {})}
        if kind in ("Namespace", "ClusterRole", "ClusterRoleBinding", "IngressClass", "GatewayClass"):
            del identity["namespace"]
        manifest = {"apiVersion": api_version, "kind": kind, "metadata": identity, **fields}
        child = name if name.startswith(self._name) else f"{self._name}-{name}"
        return KubernetesObject(child, manifest, self.child(depends_on=depends_on, deleted_with=deleted_with))
