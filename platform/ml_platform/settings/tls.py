"""HTTPS on the gateway: who issues its certificate, for which hosts, and how an authority learns that they are ours.

A certificate of every served model would have to wait for its authority, whose limits a busy team soon meets, and would
need a listener of its own. So one certificate is for all hosts, with a star for the models of each namespace; and for a
star, authorities want a record in the zone (dns01).
"""

from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import MisfitError, Settings, one_rule

Port = Annotated[int, Field(ge=1, le=65535)]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
HostBelow = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")]
LETS_ENCRYPT = {
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_SERVERS = "It must be production or staging, which are Let's Encrypt's, or the https:// URL of a directory"

PRIVATE = ("localhost", "local", "internal", "lan", "arpa", "test", "example", "invalid", "onion")
"""Top-level names that belong to nobody: no public authority issues for them."""
BORROWED = ("sslip.io", "nip.io", "traefik.me", "localtest.me")
"""Names that everybody has by an address: nobody can add a record to them."""


class GoogleDns(Settings):
    """Cloud DNS. The service account cert-manager/cert-manager needs roles/dns.admin, by Workload Identity."""

    provider: Literal["google"]
    project: str


class Route53Dns(Settings):
    """Route 53. The service account cert-manager/cert-manager needs a role that may edit the zone, by Pod Identity: a
    cluster of source eks gives it one for `dns_zones`."""

    provider: Literal["route53"]
    region: str


class CloudflareDns(Settings):
    """Cloudflare; the stack's secret ml-platform:dns_token holds a token that may edit the zone."""

    provider: Literal["cloudflare"]


class WebhookDns(Settings):
    """Any other, by a solver that you install beside cert-manager: IONOS Cloud DNS has one."""

    provider: Literal["webhook"]
    group: str
    """Its API group."""
    solver: str
    """Its name in that group."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Whatever it takes, as its own documentation says. Secrets are named there, never held."""


AnyDns = GoogleDns | Route53Dns | CloudflareDns | WebhookDns


class AcmeSettings(Settings):
    """Certificates of a public authority, renewed by cert-manager before they end."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    """Whom the authority writes to."""
    server: Annotated[
        Literal["production", "staging"] | Annotated[str, Field(pattern=r"^https://[^\s/]+")], one_rule(_SERVERS)
    ] = "production"
    """production or staging of Let's Encrypt, or the URL of another directory. Staging is for a first try: it has wide
    limits, and nobody trusts it."""
    dns01: Annotated[AnyDns, Field(discriminator="provider")] | None = None
    """Who keeps the zone of the domain. Without it, the gateway answers the authority on port 80 (http01), which can't
    prove a star."""

    @property
    def directory(self) -> str:
        return LETS_ENCRYPT.get(self.server, self.server)


class TlsSettings(Settings):
    """HTTPS on the gateway; plain HTTP is redirected to it."""

    issuer: Literal["acme", "given", "existing", "self-signed", "none"] = "self-signed"
    """acme: a public authority, by cert-manager. given: the stack's secrets ml-platform:tls_certificate and
    ml-platform:tls_key hold it, as PEM. existing: a ClusterIssuer that somebody else has made. self-signed: the stack
    is its own authority, which clients have to be told to trust. none: plain HTTP."""
    acme: AcmeSettings | None = None
    cluster_issuer: str | None = None
    """The name of the existing one."""
    hosts: tuple[HostBelow, ...] = ("*.models",)
    """What the certificate is for beside the platform's own hosts, below the domain: `*.<namespace>` for the models of
    that namespace; without a star, host by host (iris.models, canary-iris.models)."""
    host_port: Port | None = None
    """The port on the node itself, beside the gateway's own host_port."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for key, issuer in (("acme", "acme"), ("cluster_issuer", "existing")):
            if (getattr(self, key) is None) == (self.issuer == issuer):
                raise MisfitError(key, f"it goes with issuer: {issuer}, and that with it; issuer is {self.issuer}")
        return self


def check_acme(acme: AcmeSettings, domain: str, hosts: tuple[str, ...]) -> None:
    """Whether an authority can be shown that the hosts are ours.

    Raises:
        MisfitError: it can't, whatever the world is like.
    """
    if "." not in domain or domain.rpartition(".")[2] in PRIVATE or _address(domain):
        rule = "no public authority issues for it: set a domain of your own, or tls.issuer: self-signed"
        raise MisfitError("domain", rule, domain)
    if acme.dns01 and domain.endswith(BORROWED):
        rule = (
            "its zone is not yours, so nothing can be proven there: set a domain of your own, or remove tls.acme.dns01"
        )
        raise MisfitError("domain", rule)
    stars = [] if acme.dns01 else [host for host in hosts if host.startswith("*.")]
    if stars:
        rule = (
            f"{stars[0]}.{domain} can be proven by a record in the zone alone: set tls.acme.dns01, or name each host "
            "that you serve, such as iris.models"
        )
        raise MisfitError("tls.hosts", rule, list(hosts))


def _address(domain: str) -> bool:
    try:
        ip_address(domain)
    except ValueError:
        return False
    return True
