"""Certificates for webhooks, and for the gateway, where no cert-manager issues them.

It owns when one is issued and for how long, and says what objects of a release must know of it and whom they trust.
What is issued is `authority`'s.

They are good for years, since nothing on the cluster renews them and it may be long until somebody runs `pulumi up`. A
short life would protect nothing: the authority's key is gone once it has signed, and whoever can take the key of a
webhook from its Secret can take the next one as well. A job that renews them would hold rights on all these Secrets and
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
"""Days of a webhook's certificate: only API servers look at it, which set no limit."""
FOR_BROWSERS = 820
"""Days of the gateway's: Apple's systems refuse more than 825, whoever has issued it."""


class WebhookCertificate(dynamic.Resource, module="certificates", name="WebhookCertificate"):
    """A serving certificate for `dns_names`, good for that many `days`. The first `up` in their last third renews
    it."""

    certificate: pulumi.Output[str]
    """PEM."""
    private_key: pulumi.Output[str]
    """PEM, a secret."""
    ca_bundle: pulumi.Output[str]
    """Base64 of PEM, as webhook configurations want it. After a renewal it trusts the previous authority as well, since
    the server goes on with its old certificate until its pod sees the new one."""
    fingerprint: pulumi.Output[str]
    """Changes with the certificate."""

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


def issued_by(objects: Iterable[Object], *, cert_manager: bool) -> list[Object]:
    """The objects as they are where cert-manager runs; else without what only it understands."""
    if cert_manager:
        return list(objects)
    return [_unannotated(each) for each in objects if not each["apiVersion"].partition("/")[0].endswith(CERT_MANAGER)]


def _unannotated(item: Object) -> Object:
    annotations = item["metadata"].get("annotations") or {}
    kept = {key: value for key, value in annotations.items() if not key.startswith(f"{CERT_MANAGER}/")}
    return item if kept == annotations else {**item, "metadata": {**item["metadata"], "annotations": kept}}


def missing(wanted: Iterable[Certificate], objects: Iterable[Object]) -> list[Certificate]:
    """Those that no Certificate among the objects asks cert-manager for."""
    asked = {each["spec"].get("secretName") for each in objects if each["apiVersion"].startswith(f"{CERT_MANAGER}/")}
    return [each for each in wanted if each.secret not in asked]


def with_secret(
    objects: Iterable[Object], wanted: Certificate, namespace: str, issued: WebhookCertificate
) -> list[Object]:
    """The objects with the Secret that the server mounts; a release may ship it empty."""
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": wanted.secret, "namespace": namespace},
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": issued.certificate.apply(_base64), "tls.key": issued.private_key.apply(_base64)},
    }
    others = (each for each in objects if (each["kind"], each["metadata"]["name"]) != ("Secret", wanted.secret))
    return [*others, secret]


def trust(wanted: Certificate, issued: WebhookCertificate) -> list[Transform]:
    """Every webhook that the service answers trusts it; a new one restarts the server."""
    mark = {"ml-platform/certificate": issued.fingerprint}
    return [ca_bundle(wanted.service, issued.ca_bundle), pod_annotations("Deployment", wanted.deployment, mark)]


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False  # it captures nothing

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
