"""Who the gateway is, and who may pass it: its certificate, and the tokens that it asks for."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from ml_platform.bundles.certificates import WebhookCertificate
from ml_platform.components.foreign import Foreign
from ml_platform.objects import KubernetesObject
from ml_platform.settings import GatewaySettings, JwtSettings


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """As PEM."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


def certificate(
    component: Foreign,
    settings: GatewaySettings,
    hosts: Sequence[str],
    given: Certificate | None,
    meta: Mapping[str, Any],
) -> list[pulumi.Resource]:
    """The Secret that the gateway serves HTTPS with, or what makes it."""
    tls, name, options = settings.tls, meta["name"], component.child(depends_on=component.ready)
    if tls is None:
        return []
    # Many clients refuse a star before a domain of one word.
    names = [*hosts, f"*.{settings.domain}", *tls.names]
    if tls.certificate == "cert-manager":
        spec = {
            "secretName": name,
            "dnsNames": names,
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": tls.issuer},
        }
        wanted = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": meta, "spec": spec}
        return [KubernetesObject(name, wanted, options)]
    texts: dict[str, pulumi.Input[str]]
    if given:
        texts = {"tls.crt": given.certificate, "tls.key": given.key}
    else:
        issued = WebhookCertificate(name, names, component.child())
        texts = {
            "tls.crt": issued.certificate,
            "tls.key": issued.private_key,
            "ca.crt": issued.ca_bundle.apply(_decoded),
        }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/tls", "stringData": texts}
    return [KubernetesObject(name, secret, options)]


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def policies(settings: GatewaySettings, pods: Mapping[str, str], plain_port: int) -> dict[str, dict[str, Any]]:
    """Specifications by kind, for the gateway's pods. Tokens are checked by one, and asked for by the other: alone,
    the first lets pass who has none."""
    jwt = settings.jwt
    if jwt is None:
        return {}
    selector = {"matchLabels": dict(pods)}
    stranger = {"source": {"notRequestPrincipals": ["*"]}}
    public = _public(jwt) | ({"notPorts": [str(plain_port)]} if settings.tls else {})  # which only redirects
    rule = {"from": [stranger], **({"to": [{"operation": public}]} if public else {})}
    return {
        "RequestAuthentication": {"selector": selector, "jwtRules": [_token(jwt)]},
        "AuthorizationPolicy": {"selector": selector, "action": "DENY", "rules": [rule]},
    }


def _token(jwt: JwtSettings) -> dict[str, Any]:
    chosen = {"audiences": list(jwt.audiences), "jwks": jwt.jwks, "jwksUri": jwt.jwks_uri}
    given = {key: value for key, value in chosen.items() if value}
    return {"issuer": jwt.issuer, **given, "forwardOriginalToken": True}


def _public(jwt: JwtSettings) -> dict[str, list[str]]:
    hosts = [name for host in jwt.public_hosts for name in (host, f"{host}:*")]
    found = {"notHosts": hosts, "notPaths": list(jwt.public_paths)}
    return {key: values for key, values in found.items() if values}
