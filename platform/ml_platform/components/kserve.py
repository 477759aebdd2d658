"""KServe: InferenceServices on Knative, and what turns a registered MLflow model into a server.

It owns the bundle, the certificate of its webhooks and the runtime's link to the model registry. Models, and who may
read which secret for them, belong to the workloads.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.installation import Installation
from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms import ca_bundle, config_json, environment, pod_annotations
from ml_platform.component import Component
from ml_platform.components.certificates import WebhookCertificate

NAMESPACE = "kserve"
MANAGER = "kserve-controller-manager"
SERVICE = "kserve-webhook-server-service"
SECRET = "kserve-webhook-server-cert"  # noqa: S105 - its name


@dataclass(frozen=True, kw_only=True)
class KServeArgs:
    installation: Installation
    domain: str
    """Predictions answer at <name>-predictor.<namespace>.<domain>."""
    tracking_uri: pulumi.Input[str]
    """The model registry as pods reach it: where mlflow:// models are downloaded from."""
    ingress_class: str = "traefik"
    after: Sequence[pulumi.Resource] = ()
    over: Sequence[pulumi.Resource] = ()
    """What serves its models: Knative, ready, and there until the last of them is gone."""


class KServe(Component):
    token = "ml-platform:serving:KServe"  # noqa: S105 - a type token

    namespace: str
    bundle: Bundle

    def __init__(self, name: str, args: KServeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        certificate = WebhookCertificate(
            f"{name}-webhook", [f"{SERVICE}.{NAMESPACE}.svc", f"{SERVICE}.{NAMESPACE}.svc.cluster.local"], self.child()
        )
        ingress = {"ingressDomain": args.domain, "ingressClassName": args.ingress_class}
        self.bundle = Bundle(
            name,
            BundleArgs(
                installation=args.installation,
                bundle="kserve",
                transforms=[
                    ca_bundle(certificate.ca_bundle),
                    config_json("inferenceservice-config", "ingress", ingress),
                    environment("ClusterStorageContainer", "mlflow", {"MLFLOW_TRACKING_URI": args.tracking_uri}),
                    pod_annotations("Deployment", MANAGER, {"ml-platform/certificate": certificate.fingerprint}),
                ],
                extra=[_secret(certificate)],
                after=args.after,
                over=args.over,
            ),
            self.child(),
        )
        self.namespace = self.bundle.namespace
        self.register_outputs({"namespace": self.namespace})


def _secret(certificate: WebhookCertificate) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": NAMESPACE},
        "type": "kubernetes.io/tls",
        "data": {
            "tls.crt": certificate.certificate.apply(_base64),
            "tls.key": certificate.private_key.apply(_base64),
        },
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
