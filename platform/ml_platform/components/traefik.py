"""Traefik as the gateway.

In two roles: the layer that serves predictions, for Knative's routes or for those of the Gateway API, and the
controller of Ingress class `traefik` for the user interfaces. It owns the entry points and the classes; the routes
belong to whoever declares them. No kinds of Traefik's own are installed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
from ml_platform import pods
from ml_platform.clusters.cluster import LoadBalancer
from ml_platform.component import Component
from ml_platform.components.certificate import SECRET, CertificateArgs, GatewayCertificate, Issuing
from ml_platform.components.gateway import url
from ml_platform.components.traefik_answers import FOLDER, files
from ml_platform.components.traefik_flags import INTERNAL, PING, SECURE, WEB, flags
from ml_platform.components.traefik_rights import rules
from ml_platform.objects import KubernetesObject
from ml_platform.settings import GatewaySettings, TlsSettings

CLASS = "traefik"
PUBLIC, PRIVATE = "traefik", "traefik-internal"  # its Services
ANSWERS = "traefik-answers"


@dataclass(frozen=True, kw_only=True)
class TraefikArgs:
    image: str
    labels: Mapping[str, str]
    settings: GatewaySettings
    load_balancer: LoadBalancer
    mode: Literal["knative", "standard"]
    """Whose routes lead to predictions: Knative's, or the Gateway API's."""
    issuing: Issuing
    services: Sequence[str]
    """Names of the platform's own before the domain."""
    tracking_uri: str
    """MLflow as pods reach it."""
    login: pulumi.Output[str] | None = None
    """To the registry of its image, if it needs one."""
    kinds: Sequence[pulumi.Resource] = ()
    """Those of its routes: it watches them from its start."""
    after: Sequence[pulumi.Resource] = ()
    """What must exist before anything of it: the preflight, and who issues its certificate."""


class Traefik(Component):
    token = "ml-platform:gateway:Gateway"  # noqa: S105 - a type token

    namespace: str
    service: str
    url: str
    reference: str
    routable: Sequence[pulumi.Resource] = ()
    ready: list[pulumi.Resource]
    certificate: GatewayCertificate | None = None

    def __init__(self, name: str, args: TraefikArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self.namespace, self.service, self.reference = name, PUBLIC, f"{name}/{name}"
        self.url = url(args.settings)
        namespace = self._declare("v1", "Namespace", name, labels=self._pod_security(), depends_on=args.after)
        access = self._access(namespace)
        services = [
            self._service(PUBLIC, self._public(), namespace, None if args.settings.host_port else args.load_balancer),
            self._service(PRIVATE, {"http": (80, INTERNAL)}, namespace),
        ]
        if args.settings.https:
            services.append(self._certified(args.settings.https, namespace))
        answers = files(args.settings, args.services, args.tracking_uri)
        here: dict[str, Any] = {"deleted_with": namespace, "depends_on": [namespace]}
        before = [*access, *services, *args.kinds, self._declare("v1", "ConfigMap", ANSWERS, **here, data=answers)]
        deployment = self._deployment(pods.digest(answers))
        self.ready = [self._declare("apps/v1", "Deployment", PUBLIC, depends_on=before, spec=deployment)]
        self._declare(
            "networking.k8s.io/v1", "IngressClass", CLASS, spec={"controller": "traefik.io/ingress-controller"}
        )
        if args.mode == "standard":
            self._gateway()
        self.register_outputs({"namespace": self.namespace, "url": self.url})

    def route(self, meta: Mapping[str, Any], port: int, hosts: Sequence[str]) -> dict[str, Any]:
        backend = {"service": {"name": meta["name"], "port": {"number": port}}}
        http = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
        rules = [{"host": host, "http": http} for host in hosts]
        tls = {"tls": [{"hosts": list(hosts)}]} if self._settings.https else {}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": meta,
            "spec": {"ingressClassName": CLASS, **tls, "rules": rules},
        }

    def _certified(self, tls: TlsSettings, namespace: pulumi.Resource) -> KubernetesObject:
        """The certificate, and what makes it that of all routes: without a Secret of their own they get what fits."""
        marks = {"traefik.ingress.kubernetes.io/router.entrypoints": "web"}
        args = CertificateArgs(
            tls=tls,
            issuing=self._args.issuing,
            namespace=self.namespace,
            labels=self._args.labels,
            solver={"ingress": {"ingressClassName": CLASS, "ingressTemplate": {"metadata": {"annotations": marks}}}},
            after=[*self._args.after, namespace],
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

    def _public(self) -> dict[str, tuple[int, int]]:
        """The ports of its Service: what leads to which of its container."""
        return {"http": (80, WEB), **({"https": (443, SECURE)} if self._settings.https else {})}

    def _gateway(self) -> None:
        """What routes of the Gateway API attach to. A listener's port is that of the entry point."""
        group = "gateway.networking.k8s.io/v1"
        spec = {"controllerName": "traefik.io/gateway-controller"}
        tls = {"tls": {"mode": "Terminate", "certificateRefs": [{"name": SECRET}]}}
        how = (
            {"port": SECURE, "protocol": "HTTPS", **tls} if self._settings.https else {"port": WEB, "protocol": "HTTP"}
        )
        entry = {"name": "web", **how, "allowedRoutes": {"namespaces": {"from": "All"}}}
        chosen = self._declare(
            group, "GatewayClass", CLASS, depends_on=[*self._args.after, *self._args.kinds], spec=spec
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

    def _access(self, namespace: pulumi.Resource) -> list[KubernetesObject]:
        group = "rbac.authorization.k8s.io"
        name = f"{self._name}-traefik"
        here: dict[str, Any] = {"deleted_with": namespace, "depends_on": [namespace]}
        login = self._args.login
        if login is not None:
            KubernetesObject(
                f"{self._name}-{pods.REGISTRY}",
                pods.registry_login(self.namespace, self._args.labels, login),
                self.child(**here),
            )
        account = self._declare("v1", "ServiceAccount", PUBLIC, **here, **pods.pulls(login))
        role = self._declare(f"{group}/v1", "ClusterRole", name, rules=rules(self._args.mode))
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
            # Its pods come after it.
            metadata={"annotations": balancer.annotated(own) if balancer else own},
            spec={
                **(balancer.spec(self._settings.networks) if balancer else {"type": "ClusterIP"}),
                "selector": {"app": PUBLIC},
                "ports": [{"name": each, "port": port, "targetPort": at} for each, (port, at) in ports.items()],
            },
        )

    def _deployment(self, answers: str) -> dict[str, Any]:
        # Two pods can't hold one port of the node.
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
                    "image": self._args.image,
                    "args": flags(self._settings, self._args.mode, self.namespace, (PUBLIC, PRIVATE), CLASS),
                    "workingDir": "/",
                    "env": [{"name": "GOMEMLIMIT", "value": "128MiB"}],
                    "volumeMounts": [{"name": ANSWERS, "mountPath": FOLDER}],
                    "ports": [
                        *self._entries(),
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

    def _entries(self) -> list[dict[str, Any]]:
        """The ports that are reached from outside; on one machine, by ports of the node."""
        settings = self._settings
        ports = {"web": (WEB, settings.host_port)}
        if settings.https:
            ports["websecure"] = (SECURE, settings.https.host_port)
        return [
            {"name": name, "containerPort": port, **({"hostPort": at, "hostIP": settings.bind} if at else {})}
            for name, (port, at) in ports.items()
        ]

    def _pod_security(self) -> dict[str, str]:
        # The baseline standard forbids ports of the node.
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
        marks = {**self._args.labels, **(labels or {})}
        identity = {"name": name, "namespace": self.namespace, "labels": marks, **(metadata or {})}
        if kind in ("Namespace", "ClusterRole", "ClusterRoleBinding", "IngressClass", "GatewayClass"):
            del identity["namespace"]
        manifest = {"apiVersion": api_version, "kind": kind, "metadata": identity, **fields}
        child = name if name.startswith(self._name) else f"{self._name}-{name}"
        return KubernetesObject(child, manifest, self.child(depends_on=depends_on, deleted_with=deleted_with))
