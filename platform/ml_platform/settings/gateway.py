"""The gateway's settings: its domain, its ports, and the clients that may pass."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import MisfitError, Settings
from ml_platform.settings.clouds import Cidr
from ml_platform.settings.tls import Domain, Port, TlsSettings, check_acme

UrlPath = Annotated[str, Field(pattern=r"^/")]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]
EVERYBODY = "0.0.0.0/0"
_LET_IN_EVERYBODY = f"pulumi config set --path 'ml-platform:platform.gateway.access[0]' {EVERYBODY}"
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


class JwtSettings(Settings):
    """The JSON Web Tokens that the gateway asks for: requests need a token of this issuer, except to public hosts and
    paths."""

    issuer: str
    """The claim `iss` of valid tokens."""
    audiences: tuple[str, ...] = ()
    """Allowed audiences: a token's claim `aud` must have one of them. Without any, that claim is ignored."""
    jwks: str | None = None
    """The issuer's public keys, as the text of a JSON Web Key Set."""
    jwks_uri: Url | None = None
    """The URL at which the issuer publishes its keys; the gateway fetches them there."""
    public_hosts: tuple[Domain, ...] = ()
    """Hosts that need no token."""
    public_paths: tuple[UrlPath, ...] = ()
    """Paths that need no token; a star at the end stands for any rest of the path."""

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if (self.jwks is None) == (self.jwks_uri is None):
            raise MisfitError("jwks", "the keys come from exactly one of jwks and jwks_uri")
        return self


class GatewaySettings(Settings):
    """The gateway, through which every request from outside enters."""

    ingress: Literal["istio", "traefik"] = "traefik"
    """The software of the gateway. Only istio can ask for tokens."""
    domain: Domain = "localhost"
    """The domain of all hosts: mlflow.<domain>, <served model>.<namespace>.<domain>."""
    access: tuple[Cidr, ...] = ()
    """IPv4 networks that may connect to the load balancer, which has no IPv6 address then; 0.0.0.0/0 is everybody.
    Without any: everybody where jwt asks for tokens, elsewhere private networks only (10.0.0.0/8, 172.16.0.0/12,
    192.168.0.0/16)."""
    host_port: Port | None = None
    """The node's own port of the gateway, for one machine. Without it, the gateway is a Service of type
    LoadBalancer."""
    bind: str = "127.0.0.1"
    """The node's address that host_port listens on."""
    tls: TlsSettings | None = None
    """HTTPS. Without this block, loopback has plain HTTP, and every other address a self-signed certificate."""
    jwt: JwtSettings | None = None

    @property
    def https(self) -> TlsSettings | None:
        """The settings that HTTPS is served by; None is plain HTTP."""
        if self.tls is None:
            return None if self._on_loopback else TlsSettings()
        return None if self.tls.issuer == "none" else self.tls

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that may connect to the load balancer; none is everybody, where a token is asked for."""
        return self.access or (() if self.jwt else PRIVATE_NETWORKS)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The platform's own hosts: the domain, MLflow's and the object store's."""
        return self.domain, f"mlflow.{self.domain}", f"s3.{self.domain}"

    @property
    def certified(self) -> tuple[str, ...]:
        """All hosts on the certificate; empty where there is no certificate."""
        return (*self.hosts, *(f"{host}.{self.domain}" for host in self.https.hosts)) if self.https else ()

    @property
    def certified_below(self) -> tuple[str, ...] | None:
        """The hosts on the certificate beside the platform's own, below the domain; None where there is no
        certificate."""
        return self.https.hosts if self.https else None

    @property
    def _on_loopback(self) -> bool:
        return self.host_port is not None and self.bind.startswith(("127.", "::1"))

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.jwt and self.ingress != "istio":
            raise MisfitError("ingress", "jwt is done by istio alone; set istio, or remove jwt", self.ingress)
        if self.host_port and self.access not in ((), (EVERYBODY,)):
            raise MisfitError("access", "it is the load balancer's, and host_port leaves that out", remove=True)
        secure_port = self.https.host_port if self.https else None
        if (secure_port is None) != (self.host_port is None or self.https is None):
            rule = "with HTTPS, one machine has both host_port and tls.host_port, a load balancer neither"
            path = "tls.host_port" if self.tls else "tls"
            raise MisfitError(path, f"{rule}; or set tls.issuer: none", remove=self.host_port is None)
        if self.tls and self.tls.acme:
            check_acme(self.tls.acme, self.domain, self.tls.hosts)
            if self.tls.acme.dns01 is None:
                self._check_http_challenge()
        if self.host_port and not (self._on_loopback or self.jwt or self.access):
            rule = (
                "whoever reaches this address gets in without a login: set 127.0.0.1, or jwt (ingress: istio), or say "
                f"that everybody may: {_LET_IN_EVERYBODY}"
            )
            raise MisfitError("bind", rule, self.bind)
        return self

    def _check_http_challenge(self) -> None:
        """Refuses a gateway that a public authority can't reach on port 80 for an HTTP challenge."""
        rule = "the authority asks at port 80 of the domain, from anywhere: {}, or set tls.acme.dns01"
        if not self.host_port and self.networks and EVERYBODY not in self.networks:
            raise MisfitError("access", rule.format(f"let in everybody: {_LET_IN_EVERYBODY}"), list(self.networks))
        if self.host_port not in (None, 80):
            raise MisfitError("host_port", rule.format("set 80"))
        if self._on_loopback:
            raise MisfitError("bind", rule.format("set an address that can be reached"), self.bind)
