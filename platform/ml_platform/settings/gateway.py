"""The one way in: its name, its ports, and who may pass."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import MisfitError, Settings

Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
CertificateName = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
UrlPath = Annotated[str, Field(pattern=r"^/")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]


class TlsSettings(Settings):
    """HTTPS on the gateway; plain HTTP is redirected to it."""

    certificate: Literal["own", "secret", "cert-manager"] = "own"
    """own: the stack issues it, for one machine and for tests. secret: the stack's secrets ml-platform:tls_certificate
    and ml-platform:tls_key hold it, as PEM. cert-manager: `issuer` does."""
    issuer: str | None = None
    """A ClusterIssuer of cert-manager."""
    names: tuple[CertificateName, ...] = ()
    """Further names on the certificate. The domain and *.<domain> always are, but a star stands for one label: for
    predictions add *.<namespace>.<domain>."""
    host_port: Port | None = None
    """The port on the node itself, beside the gateway's own host_port."""

    @model_validator(mode="after")
    def _issued(self) -> Self:
        if (self.issuer is None) == (self.certificate == "cert-manager"):
            raise MisfitError("issuer", "certificate: cert-manager needs the name of a ClusterIssuer, others have none")
        return self


class JwtSettings(Settings):
    """Who may pass: the bearer of a token of this issuer, and everybody to what is public."""

    issuer: str
    """The claim `iss` of good tokens."""
    audiences: tuple[str, ...] = ()
    """One of them must be in the claim `aud`; without any, that claim is not looked at."""
    jwks: str | None = None
    """The issuer's public keys, as the text of a JSON Web Key Set."""
    jwks_uri: Url | None = None
    """Where they are published; the gateway asks there."""
    public_hosts: tuple[Host, ...] = ()
    """Hosts that need no token."""
    public_paths: tuple[UrlPath, ...] = ()
    """Paths that need no token; a star at the end stands for all that begin so."""

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if (self.jwks is None) == (self.jwks_uri is None):
            raise MisfitError("jwks", "the keys come from exactly one of jwks and jwks_uri")
        return self


class GatewaySettings(Settings):
    """The one way in, through which everything is reached."""

    ingress: Literal["istio", "traefik"] = "traefik"
    """What stands there. Only istio does TLS and tokens."""
    domain: Host = "localhost"
    """Every URL is a host under it: mlflow.<domain>, <served model>.<namespace>.<domain>."""
    host_port: Port | None = None
    """A port on the node itself, for one machine. Without it, the gateway is a LoadBalancer service on port 80."""
    bind: str = "127.0.0.1"
    """The node's address that host_port listens on."""
    tls: TlsSettings | None = None
    jwt: JwtSettings | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for feature in ("tls", "jwt"):
            if getattr(self, feature) and self.ingress != "istio":
                rule = f"{feature} is done by istio alone; set istio, or remove {feature}"
                raise MisfitError("ingress", rule, self.ingress)
        if self.tls and (self.tls.host_port is None) != (self.host_port is None):
            rule = "host_port and tls.host_port go together: one machine has both, a load balancer neither"
            raise MisfitError("tls.host_port", rule)
        return self
