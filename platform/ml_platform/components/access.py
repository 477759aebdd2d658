"""Istio's policies for access at the gateway: requests need a JSON Web Token."""

from collections.abc import Mapping
from typing import Any

from ml_platform.settings import GatewaySettings, JwtSettings


def policies(
    settings: GatewaySettings, pods: Mapping[str, str], plain_port: int, claims: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The specifications of the two policies for the gateway's pods, by kind; none without jwt in the settings.

    RequestAuthentication refuses invalid tokens and lets requests without a token pass; AuthorizationPolicy refuses
    those. `pods` are the labels of the gateway's pods, `plain_port` is the port of plain HTTP. `claims` are headers,
    each with the claim that it gets; a client's own headers of these names are removed.
    """
    jwt = settings.jwt
    if jwt is None:
        return {}
    selector = {"matchLabels": dict(pods)}
    without_token = {"source": {"notRequestPrincipals": ["*"]}}
    public = _public_operation(jwt) | (
        {"notPorts": [str(plain_port)]} if settings.https else {}
    )  # plain HTTP only redirects
    rule = {"from": [without_token], **({"to": [{"operation": public}]} if public else {})}
    return {
        "RequestAuthentication": {"selector": selector, "jwtRules": [_token(jwt, claims)]},
        "AuthorizationPolicy": {"selector": selector, "action": "DENY", "rules": [rule]},
    }


def _token(jwt: JwtSettings, claims: Mapping[str, str]) -> dict[str, Any]:
    chosen = {"audiences": list(jwt.audiences), "jwks": jwt.jwks, "jwksUri": jwt.jwks_uri}
    given = {key: value for key, value in chosen.items() if value}
    headers = [{"header": header, "claim": claim} for header, claim in claims.items()]
    told = {"outputClaimToHeaders": headers} if headers else {}
    return {"issuer": jwt.issuer, **given, "forwardOriginalToken": True, **told}


def _public_operation(jwt: JwtSettings) -> dict[str, list[str]]:
    hosts = [name for host in jwt.public_hosts for name in (host, f"{host}:*")]
    found = {"notHosts": hosts, "notPaths": list(jwt.public_paths)}
    return {key: values for key, values in found.items() if values}
