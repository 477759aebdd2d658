"""The certificate that the gateway serves HTTPS with: one, for all of its hosts, in one Secret.

It owns that Secret, or whoever issues it: the stack itself, or cert-manager with an authority of the stack's own or a
public one. How the gateway serves it, and how it lets an authority ask on port 80, is the gateway's business.
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
    """As PEM."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class Issuing:
    """What issuing takes beside the settings, wherever the gateway is."""

    names: Sequence[str]
    cert_manager: str | None = None
    """Its namespace, where it issues what the stack would issue itself."""
    given: Pair | None = None
    dns_token: pulumi.Output[str] | None = None


def issuing(site: Site) -> Issuing:
    """With what the stack's secrets hold for it.

    Raises:
        SettingsError: one is missing.
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
    """How an answer to an authority gets onto port 80, in cert-manager's words."""
    after: Sequence[pulumi.Resource] = ()
    """The namespace, and cert-manager."""


class GatewayCertificate(Component):
    token = "ml-platform:gateway:GatewayCertificate"  # noqa: S105 - a type token

    ready: Sequence[pulumi.Resource]
    """The Secret, or the order for it: a public authority may take until its names lead here."""
    authority: pulumi.Output[str] | None = None
    """Whom clients have to be told to trust, as PEM, where the stack itself has issued it."""

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._args = args
        if args.tls.acme:
            self.ready = [self._ordered("ClusterIssuer", ACME, self._public(args.tls.acme))]
        elif args.tls.cluster_issuer:
            self.ready = [self._ordered("ClusterIssuer", args.tls.cluster_issuer)]
        elif args.issuing.given:
            self.ready = [self._secret(args.issuing.given)]
        elif args.issuing.cert_manager:
            self.ready = [self._ordered("Issuer", AUTHORITY, self._authority())]
        else:
            self.ready = [self._issued()]
        self.register_outputs({})

    def _issued(self) -> KubernetesObject:
        issued = WebhookCertificate(SECRET, dns_names=self._args.issuing.names, days=FOR_BROWSERS, opts=self.child())
        self.authority = issued.ca_bundle.apply(_decoded)
        return self._secret(Pair(certificate=issued.certificate, key=issued.private_key), self.authority)

    def _secret(self, pair: Pair, authority: pulumi.Output[str] | None = None) -> KubernetesObject:
        texts = {"tls.crt": pair.certificate, "tls.key": pair.key, **({"ca.crt": authority} if authority else {})}
        hidden = pulumi.Output.secret(texts)
        return self._declare("v1", "Secret", SECRET, [], type="kubernetes.io/tls", stringData=hidden)

    def _ordered(self, kind: str, issuer: str, *before: pulumi.Resource) -> KubernetesObject:
        spec = {"secretName": SECRET, "dnsNames": list(self._args.issuing.names), "issuerRef": _reference(kind, issuer)}
        return self._declare(API, "Certificate", SECRET, before, spec={**spec, "privateKey": _KEY})

    def _authority(self) -> KubernetesObject:
        """An authority of the stack's own, which signs; a certificate that signs itself has no one to be trusted by."""
        first = self._declare(API, "Issuer", ROOT, [], spec={"selfSigned": {}})
        order = {
            "isCA": True,
            "commonName": "ml-platform gateway",
            "secretName": AUTHORITY,
            "duration": "87600h",
            "privateKey": _KEY,
            "issuerRef": _reference("Issuer", ROOT),
        }
        root = self._declare(API, "Certificate", AUTHORITY, [first], spec=order)
        return self._declare(API, "Issuer", AUTHORITY, [root], spec={"ca": {"secretName": AUTHORITY}})

    def _public(self, acme: AcmeSettings) -> KubernetesObject:
        """For the whole cluster, since only such a one may use the identity that a cloud gives cert-manager."""
        tokens = [self._dns_token(self._args.issuing.dns_token)] if self._args.issuing.dns_token else []
        solver: dict[str, Any] = {"dns01": _provider(acme.dns01)} if acme.dns01 else {"http01": self._args.solver}
        account = {"email": acme.email, "server": acme.directory, "privateKeySecretRef": {"name": ACME}}
        return self._declare(API, "ClusterIssuer", ACME, tokens, spec={"acme": {**account, "solvers": [solver]}})

    def _dns_token(self, token: pulumi.Output[str]) -> KubernetesObject:
        """Where cert-manager looks for what issuers of the whole cluster name."""
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


_KEY = {"algorithm": "ECDSA", "rotationPolicy": "Always"}


def _reference(kind: str, name: str) -> dict[str, str]:
    return {"group": "cert-manager.io", "kind": kind, "name": name}


def _provider(dns: AnyDns) -> dict[str, Any]:
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
