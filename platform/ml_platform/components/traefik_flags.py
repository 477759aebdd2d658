"""The command line of Traefik: its entry points, its redirect, and the providers of its routes."""

from typing import Literal

from ml_platform.components.traefik_answers import FLAGS
from ml_platform.settings import GatewaySettings

WEB, SECURE, INTERNAL, PING = 8000, 8443, 8081, 8082  # ports of the container

METRICS = ["--metrics.prometheus=true", "--metrics.prometheus.entrypoint=ping"]
SILENT = ["--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=WARN"]
"""Nothing is asked of anybody, and nothing told."""


def flags(
    settings: GatewaySettings,
    mode: Literal["knative", "standard"],
    namespace: str,
    services: tuple[str, str],
    ingress_class: str,
    *,
    metrics: bool,
) -> list[str]:
    """Traefik's arguments.

    Args:
        settings: the gateway's.
        mode: the serving mode, which decides whose routes Traefik reads.
        namespace: the gateway's.
        services: the names of its public and its private Service.
        ingress_class: the name of its IngressClass.
        metrics: whether they are read, at the entry point of pings.
    """
    public = "websecure" if settings.https else "web"
    return [
        f"--entrypoints.web.address=:{WEB}",
        *(_secure(settings.https.host_port or 443) if settings.https else []),
        f"--entrypoints.{public}.asdefault=true",
        # Uploads of model artifacts take longer than a minute, the default.
        f"--entrypoints.{public}.transport.respondingtimeouts.readtimeout=15m",
        f"--entrypoints.internal.address=:{INTERNAL}",
        f"--entrypoints.ping.address=:{PING}",
        "--ping.entrypoint=ping",
        *(METRICS if metrics else []),
        "--providers.kubernetesingress=true",
        f"--providers.kubernetesingress.ingressclass={ingress_class}",
        f"--providers.kubernetesingress.ingressendpoint.hostname={settings.domain}",
        *(_knative(public, namespace, *services) if mode == "knative" else ["--providers.kubernetesgateway=true"]),
        *FLAGS,
        # Traefik reports a route as ready after this time, whether it serves the route yet or not.
        "--providers.providersthrottleduration=200ms",
        *SILENT,
    ]


def _secure(port: int) -> list[str]:
    """HTTPS, and a redirect of plain HTTP to it. The redirect has the lowest priority, so that HTTP challenges of a
    certificate authority are answered first."""
    redirect = "--entrypoints.web.http.redirections.entrypoint"
    return [
        f"--entrypoints.websecure.address=:{SECURE}",
        "--entrypoints.websecure.http.tls=true",
        f"{redirect}.to=:{port}",
        f"{redirect}.scheme=https",
        f"{redirect}.permanent=true",
        f"{redirect}.priority=1",
    ]


def _knative(entry: str, namespace: str, public: str, private: str) -> list[str]:
    return [
        "--experimental.knative=true",
        "--providers.knative=true",
        f"--providers.knative.publicentrypoints={entry}",
        "--providers.knative.privateentrypoints=internal",
        f"--providers.knative.publicservice.name={public}",
        f"--providers.knative.publicservice.namespace={namespace}",
        f"--providers.knative.privateservice.name={private}",
        f"--providers.knative.privateservice.namespace={namespace}",
    ]
