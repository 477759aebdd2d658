"""HTTPS on the gateway: the issuer of its certificate, the hosts on it, and the proof of the domain to an authority.

One certificate is for all hosts, with a star for the models of each namespace. One for each served model would wait for
the authority, whose limits a busy team soon reaches, and would need a listener of its own. A public authority issues
for a star only by a record in the DNS zone (dns01).
"""

from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ml_platform.configuration import MisfitError, Settings, one_rule

Port = Annotated[int, Field(ge=1, le=65535)]
_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = rf"{_LABEL}(\.{_LABEL})*"
Domain = Annotated[str, Field(pattern=rf"^{_HOST}$", max_length=150)]
"""A domain, short enough for hosts of models below it: DNS allows 253 characters in all, 63 between two dots."""
HostBelow = Annotated[str, Field(pattern=rf"^(\*\.)?{_HOST}$")]
LETS_ENCRYPT = {
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
_SERVERS = "It must be production or staging, which are Let's Encrypt's, or the https:// URL of a directory"

PRIVATE = ("localhost", "local", "internal", "lan", "arpa", "test", "example", "invalid", "onion")
"""Reserved top-level names, for which no public authority issues certificates."""
SHARED_DOMAINS = ("sslip.io", "nip.io", "traefik.me", "localtest.me")
"""Domains that resolve the address inside a name; their users can't add records."""


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
    """Any other DNS provider, by a webhook solver that you install beside cert-manager: IONOS Cloud DNS has one."""

    provider: Literal["webhook"]
    group: str
    """The API group of the solver."""
    solver: str
    """The name of the solver in that group."""
    config: dict[str, Any] = Field(default_factory=dict)
    """The configuration of the solver, as its own documentation says. It names Secrets and never holds their values."""


AnyDns = GoogleDns | Route53Dns | CloudflareDns | WebhookDns


class AcmeSettings(Settings):
    """Certificates of a public authority, which cert-manager renews before they expire."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    """The address that the authority writes to."""
    server: Annotated[
        Literal["production", "staging"] | Annotated[str, Field(pattern=r"^https://[^\s/]+")], one_rule(_SERVERS)
    ] = "production"
    """production or staging of Let's Encrypt, or the URL of another ACME directory. Staging is for a first try: it has
    wide limits, and no client trusts it."""
    dns01: Annotated[AnyDns, Field(discriminator="provider")] | None = None
    """The provider of the domain's DNS zone. Without it, the gateway answers the authority on port 80 (http01), which
    can't prove a star."""

    @property
    def directory(self) -> str:
        """The URL of the ACME directory."""
        return LETS_ENCRYPT.get(self.server, self.server)


class TlsSettings(Settings):
    """HTTPS on the gateway; plain HTTP is redirected to it."""

    issuer: Literal["acme", "given", "existing", "self-signed", "none"] = "self-signed"
    """The issuer of the certificate. acme: a public authority, by cert-manager. given: the stack's secrets
    ml-platform:tls_certificate and ml-platform:tls_key hold the certificate, as PEM. existing: a ClusterIssuer that the
    cluster already has. self-signed: the stack's own authority, which clients have to trust. none: plain HTTP."""
    acme: AcmeSettings | None = None
    cluster_issuer: str | None = None
    """The name of the ClusterIssuer, for issuer existing."""
    hosts: tuple[HostBelow, ...] = ("*.models",)
    """Hosts on the certificate beside the platform's own, below the domain: `*.<namespace>` for the models of that
    namespace, or single hosts without a star (iris.models, canary-iris.models)."""
    host_port: Port | None = None
    """The node's own port for HTTPS, beside the gateway's host_port for plain HTTP."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for key, issuer in (("acme", "acme"), ("cluster_issuer", "existing")):
            if (getattr(self, key) is None) == (self.issuer == issuer):
                raise MisfitError(key, f"it goes with issuer: {issuer}, and that with it; issuer is {self.issuer}")
        return self


def check_acme(acme: AcmeSettings, domain: str, hosts: tuple[str, ...]) -> None:
    """Refuses hosts that can never be proven to a public authority.

    Raises:
        MisfitError: the domain is reserved, an address or not the user's own, or a star lacks acme.dns01.
    """
    if "." not in domain or domain.rpartition(".")[2] in PRIVATE or _address(domain):
        rule = "no public authority issues for it: set a domain of your own, or tls.issuer: self-signed"
        raise MisfitError("domain", rule, domain)
    if acme.dns01 and domain.endswith(SHARED_DOMAINS):
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
