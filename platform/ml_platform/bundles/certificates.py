"""Certificates of webhooks, and of the gateway, where no cert-manager issues them.

This module owns when a certificate is issued and for how long, and puts it, and trust in it, into the objects of a
release. authority.py makes it.

The certificates are valid for years, since nothing on the cluster renews them and the next `pulumi up` may be far off.
A short life would protect nothing: the authority's key is discarded once it has signed, and whoever can read the key of
a webhook in its Secret can read the next one as well. A job that renews them would hold rights on all these Secrets and
webhooks, and nobody would see it fail.
"""

import base64
import datetime
from collections.abc import Iterable, Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from ml_platform.bundles.catalog import Certificate
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms import Transform, ca_bundle, pod_annotations

CERT_MANAGER = "cert-manager.io"
FOR_API_SERVERS = 3650
"""Days that a webhook's certificate is valid: its clients are API servers, which set no limit."""
FOR_BROWSERS = 820
"""Days that the gateway's certificate is valid: Apple's systems refuse more than 825 from any issuer."""


class WebhookCertificate(dynamic.Resource, module="certificates", name="WebhookCertificate"):
    """A serving certificate for `dns_names`, valid for `days`. The first `up` in the last third of them renews it."""

    certificate: pulumi.Output[str]
    """PEM."""
    private_key: pulumi.Output[str]
    """PEM, a secret."""
    ca_bundle: pulumi.Output[str]
    """Base64 of PEM, as webhook configurations take it. After a renewal it has the previous authority as well, since
    the server goes on with its old certificate until its pod sees the new one."""
    fingerprint: pulumi.Output[str]
    """The SHA-256 of the certificate, in hex: it changes with the certificate."""

    def __init__(
        self, name: str, *, dns_names: Sequence[str], days: int, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        inputs = {"dns_names": list(dns_names), "days": days}
        outputs = dict.fromkeys(("certificate", "private_key", "authority", "ca_bundle", "fingerprint", "not_after"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["private_key"])
        super().__init__(_Provider(), name, {**inputs, **outputs}, pulumi.ResourceOptions.merge(secret, opts))


def dns_names(wanted: Certificate, namespace: str) -> list[str]:
    host = f"{wanted.service}.{namespace}.svc"
    return [host, f"{host}.cluster.local"]


def adapted_to_issuer(objects: Iterable[Object], *, cert_manager: bool) -> list[Object]:
    """All objects where cert-manager runs; elsewhere those that need no cert-manager, without its annotations."""
    if cert_manager:
        return list(objects)
    return [_unannotated(each) for each in objects if not each["apiVersion"].partition("/")[0].endswith(CERT_MANAGER)]


def _unannotated(item: Object) -> Object:
    annotations = item["metadata"].get("annotations") or {}
    kept = {key: value for key, value in annotations.items() if not key.startswith(f"{CERT_MANAGER}/")}
    return item if kept == annotations else {**item, "metadata": {**item["metadata"], "annotations": kept}}


def missing(wanted: Iterable[Certificate], objects: Iterable[Object]) -> list[Certificate]:
    """The certificates that no Certificate among the objects requests from cert-manager."""
    asked = {each["spec"].get("secretName") for each in objects if each["apiVersion"].startswith(f"{CERT_MANAGER}/")}
    return [each for each in wanted if each.secret not in asked]


def with_secret(
    objects: Iterable[Object], wanted: Certificate, namespace: str, issued: WebhookCertificate
) -> list[Object]:
    """The objects with the Secret of the certificate, which the server mounts; one that the release has is replaced."""
    key: pulumi.Output[str] = pulumi.Output.secret(issued.private_key)
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": wanted.secret, "namespace": namespace},
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": issued.certificate.apply(_base64), "tls.key": key.apply(_base64)},
    }
    others = (each for each in objects if (each["kind"], each["metadata"]["name"]) != ("Secret", wanted.secret))
    return [*others, secret]


def trust(wanted: Certificate, issued: WebhookCertificate) -> list[Transform]:
    """Transforms by which webhooks of the service trust the certificate, and a new certificate restarts the server."""
    mark = {"ml-platform/certificate": issued.fingerprint}
    return [ca_bundle(wanted.service, issued.ca_bundle), pod_annotations("Deployment", wanted.deployment, mark)]


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # the provider captures no secret

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        end = datetime.datetime.fromisoformat(olds["not_after"])
        due = end - datetime.datetime.now(datetime.UTC) < datetime.timedelta(days=news["days"]) / 3
        return dynamic.DiffResult(changes=due or any(olds.get(key) != news[key] for key in ("dns_names", "days")))

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        from ml_platform.bundles.authority import issue  # slow to load, and most runs issue nothing

        return dynamic.CreateResult(id_=props["dns_names"][0], outs=issue(props["dns_names"], props["days"]))

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        from ml_platform.bundles.authority import issue

        return dynamic.UpdateResult(outs=issue(news["dns_names"], news["days"], olds["authority"]))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
