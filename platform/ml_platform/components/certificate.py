"""The certificate that the gateway serves HTTPS with: one certificate for all hosts, in one Secret.

This component owns that Secret, or the Certificate and the issuer from which cert-manager makes it. The gateway's own
component configures the listener, and the path of HTTP challenges on port 80.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ml_platform.bundles.certificates import FOR_BROWSERS, WebhookCertificate
from ml_platform.component import Component
from ml_platform.components.cert_manager import BUNDLE
from ml_platform.configuration import require_secret
from ml_platform.objects import KubernetesObject
from ml_platform.settings import AcmeSettings, AnyDns, TlsSettings
from ml_platform.site import Site

API = "cert-manager.io/v1"
SECRET = "gateway-tls"  # noqa: S105 - its name
AUTHORITY, ROOT, ACME = "gateway-authority", "gateway-root", "ml-platform-acme"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate with its chain, and its private key, as PEM."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class Issuing:
    """The values that issuing takes beside the settings, the same for every kind of gateway."""

    names: Sequence[str]
    """The hosts that the certificate is for."""
    cert_manager: str | None = None
    """The namespace of cert-manager; None where the stack issues self-signed certificates itself."""
    given: Pair | None = None
    """The certificate from the stack's secrets, for issuer given."""
    dns_token: pulumi.Output[str] | None = None
    """The token for the DNS zone at Cloudflare, from the stack's secrets."""


def issuing(site: Site) -> Issuing:
    """The values of this stack for issuing, secrets included.

    Raises:
        SettingsError: a secret is missing.
    """
    settings, config = site.settings.gateway, pulumi.Config()
    tls, given, dns_token, purpose = settings.https, None, None, "the gateway's {}, as PEM"
    if tls and tls.issuer == "given":
        given = Pair(
            certificate=require_secret(config, "tls_certificate", purpose.format("certificate and its chain")),
            key=require_secret(config, "tls_key", purpose.format("private key")),
        )
    if tls and tls.acme and tls.acme.dns01 and tls.acme.dns01.provider == "cloudflare":
        dns_token = require_secret(config, "dns_token", "a token that may edit the zone at Cloudflare")
    cert_manager = site.releases.entry(BUNDLE).namespace if site.releases.cert_manager else None
    return Issuing(names=settings.certified, cert_manager=cert_manager, given=given, dns_token=dns_token)


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    tls: TlsSettings
    issuing: Issuing
    namespace: str
    labels: Mapping[str, str]
    solver: Mapping[str, Any]
    """cert-manager's http01 solver: how its answer to a challenge is reached on port 80 of the gateway."""
    after: Sequence[pulumi.Resource] = ()
    """The resources that the certificate waits for: the namespace, and cert-manager."""


class GatewayCertificate(Component):
    token = "ml-platform:gateway:GatewayCertificate"  # noqa: S105 - a type token

    ready: Sequence[pulumi.Resource]
    """The Secret, or the Certificate from which cert-manager makes it. A public authority issues only when the domain's
    records lead to the gateway, so nothing waits for that Secret."""
    authority: pulumi.Output[str] | None = None
    """The authority that clients have to trust, as PEM, where the stack itself issues the certificate."""

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        if args.tls.acme:
            self.ready = [self._certificate("ClusterIssuer", ACME, self._acme_issuer(args.tls.acme))]
        elif args.tls.cluster_issuer:
            self.ready = [self._certificate("ClusterIssuer", args.tls.cluster_issuer)]
        elif args.issuing.given:
            self.ready = [self._secret(args.issuing.given)]
        elif args.issuing.cert_manager:
            self.ready = [self._certificate("Issuer", AUTHORITY, self._own_issuer())]
        else:
            self.ready = [self._self_signed()]
        self.register_outputs({})

    def _self_signed(self) -> KubernetesObject:
        issued = WebhookCertificate(SECRET, dns_names=self._args.issuing.names, days=FOR_BROWSERS, opts=self.child())
        self.authority = issued.ca_bundle.apply(_decoded)
        return self._secret(Pair(certificate=issued.certificate, key=issued.private_key), self.authority)

    def _secret(self, pair: Pair, authority: pulumi.Output[str] | None = None) -> KubernetesObject:
        texts = {"tls.crt": pair.certificate, "tls.key": pair.key, **({"ca.crt": authority} if authority else {})}
        hidden = pulumi.Output.secret(texts)
        return self._declare("v1", "Secret", SECRET, [], type="kubernetes.io/tls", stringData=hidden)

    def _certificate(self, kind: str, issuer: str, *before: pulumi.Resource) -> KubernetesObject:
        spec = {
            "secretName": SECRET,
            "dnsNames": list(self._args.issuing.names),
            "issuerRef": _issuer_ref(kind, issuer),
        }
        return self._declare(API, "Certificate", SECRET, before, spec={**spec, "privateKey": _PRIVATE_KEY})

    def _own_issuer(self) -> KubernetesObject:
        """The Issuer of the stack's own authority: clients trust the authority once and accept all its certificates."""
        first = self._declare(API, "Issuer", ROOT, [], spec={"selfSigned": {}})
        root_spec = {
            "isCA": True,
            "commonName": "ml-platform gateway",
            "secretName": AUTHORITY,
            "duration": "87600h",
            "privateKey": _PRIVATE_KEY,
            "issuerRef": _issuer_ref("Issuer", ROOT),
        }
        root = self._declare(API, "Certificate", AUTHORITY, [first], spec=root_spec)
        return self._declare(API, "Issuer", AUTHORITY, [root], spec={"ca": {"secretName": AUTHORITY}})

    def _acme_issuer(self, acme: AcmeSettings) -> KubernetesObject:
        """The ClusterIssuer of a public authority. Only a ClusterIssuer may use the cloud identity of cert-manager's
        own service account."""
        tokens = [self._dns_token(self._args.issuing.dns_token)] if self._args.issuing.dns_token else []
        solver: dict[str, Any] = {"dns01": _dns_provider(acme.dns01)} if acme.dns01 else {"http01": self._args.solver}
        account = {"email": acme.email, "server": acme.directory, "privateKeySecretRef": {"name": ACME}}
        return self._declare(API, "ClusterIssuer", ACME, tokens, spec={"acme": {**account, "solvers": [solver]}})

    def _dns_token(self, token: pulumi.Output[str]) -> KubernetesObject:
        """The Secret with the token, in cert-manager's namespace, where ClusterIssuers find their Secrets."""
        return self._declare(
            "v1", "Secret", f"{ACME}-dns", [], namespace=self._args.issuing.cert_manager, stringData={"token": token}
        )

    def _declare(
        self,
        api: str,
        kind: str,
        name: str,
        before: Sequence[pulumi.Resource],
        namespace: str | None = None,
        **fields: Any,
    ) -> KubernetesObject:
        meta = {"name": name, "labels": dict(self._args.labels)}
        if kind != "ClusterIssuer":
            meta["namespace"] = namespace or self._args.namespace
        manifest = {"apiVersion": api, "kind": kind, "metadata": meta, **fields}
        return KubernetesObject(name, manifest, self.child(depends_on=[*self._args.after, *before]))


_PRIVATE_KEY = {"algorithm": "ECDSA", "rotationPolicy": "Always"}


def _issuer_ref(kind: str, name: str) -> dict[str, str]:
    return {"group": "cert-manager.io", "kind": kind, "name": name}


def _dns_provider(dns: AnyDns) -> dict[str, Any]:
    match dns.provider:
        case "google":
            return {"cloudDNS": {"project": dns.project}}
        case "route53":
            return {"route53": {"region": dns.region}}
        case "cloudflare":
            return {"cloudflare": {"apiTokenSecretRef": {"name": f"{ACME}-dns", "key": "token"}}}
        case "webhook":
            return {"webhook": {"groupName": dns.group, "solverName": dns.solver, "config": dns.config}}


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
