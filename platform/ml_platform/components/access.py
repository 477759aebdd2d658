"""Who may pass the gateway: the tokens that it asks for."""

from collections.abc import Mapping
from typing import Any

from ml_platform.settings import GatewaySettings, JwtSettings


def policies(settings: GatewaySettings, pods: Mapping[str, str], plain_port: int) -> dict[str, dict[str, Any]]:
    """Specifications by kind, for the gateway's pods. Tokens are checked by one, and asked for by the other: alone,
    the first lets pass who has none."""
    jwt = settings.jwt
    if jwt is None:
        return {}
    selector = {"matchLabels": dict(pods)}
    stranger = {"source": {"notRequestPrincipals": ["*"]}}
    public = _public(jwt) | ({"notPorts": [str(plain_port)]} if settings.https else {})  # which only redirects
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
