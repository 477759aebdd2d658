"""The gateway, and all that serves models behind it: Knative, or routes of the Gateway API, below KServe.

It owns which of them there are and what each has of the others; it is no component of its own, so that each is the
platform's child whatever is chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from ml_platform import selection
from ml_platform.bundles.installation import Installation
from ml_platform.clusters.cluster import LoadBalancer
from ml_platform.component import Component
from ml_platform.components.cert_manager import BUNDLE
from ml_platform.components.certificate import Issuing, issuing
from ml_platform.components.gateway import Gateway
from ml_platform.components.istio import Istio, IstioArgs
from ml_platform.components.knative import Autoscaling, Knative, KnativeArgs
from ml_platform.components.kserve import KServe, KServeArgs
from ml_platform.components.traefik import Traefik, TraefikArgs
from ml_platform.settings import PlatformSettings


@dataclass(frozen=True, kw_only=True)
class ServingLayer:
    """What the platform's settings ask for of it."""

    owner: Component
    installation: Installation
    settings: PlatformSettings
    load_balancer: LoadBalancer
    images: Mapping[str, str]
    labels: Mapping[str, str]
    routes: Sequence[pulumi.Resource]
    """The kinds of the Gateway API, where something has routes of them."""
    tracking_uri: str
    placed: bool
    """Whether there are node pools that models may be put on."""

    def declare(self) -> tuple[Gateway, Sequence[pulumi.Resource]]:
        """The gateway, and all that serves models: Knative, or routes of the Gateway API, below KServe."""
        istio, standard = self.settings.gateway.ingress == "istio", self.settings.serving.mode == "standard"
        mesh = self._istio() if istio else None
        knative = None if standard else self._knative(mesh.ready if mesh else [])
        kinds = [*self.routes, *(knative.kinds if knative else [])]
        gateway = mesh or self._traefik(kinds)
        kserve = self._kserve(gateway, kinds, knative.ready if knative else gateway.ready)
        return gateway, [each for each in (knative, gateway, kserve) if each]

    def _issuing(self) -> Issuing:
        namespace = self.installation.entry(BUNDLE).namespace if self.installation.cert_manager else None
        return issuing(self.settings.gateway, pulumi.Config(), namespace)

    def _istio(self) -> Istio:
        args = IstioArgs(
            installation=self.installation,
            settings=self.settings.gateway,
            load_balancer=self.load_balancer,
            issuing=self._issuing(),
            shared=self.settings.serving.mode == "knative",
            after=self.routes,
        )
        return Istio(selection.GATEWAY, args, self.owner.child())

    def _knative(self, after: Sequence[pulumi.Resource]) -> Knative:
        gateway = self.settings.gateway
        args = KnativeArgs(
            installation=self.installation,
            domain=gateway.domain,
            ingress=gateway.ingress,
            scheme="https" if gateway.https else "http",
            autoscaling=Autoscaling(**self.settings.serving.autoscaling.model_dump()),
            placed=self.placed,
            after=after,
        )
        return Knative("knative", args, self.owner.child())

    def _traefik(self, kinds: Sequence[pulumi.Resource]) -> Traefik:
        args = TraefikArgs(
            image=self.images["traefik"],
            labels=self.labels,
            settings=self.settings.gateway,
            load_balancer=self.load_balancer,
            mode=self.settings.serving.mode,
            issuing=self._issuing(),
            services=["mlflow", *(["s3"] if selection.storage(self.settings) else [])],
            tracking_uri=self.tracking_uri,
            login=self.installation.login,
            kinds=kinds,
            after=self.installation.after,
        )
        return Traefik(selection.GATEWAY, args, self.owner.child())

    def _kserve(self, gateway: Gateway, kinds: Sequence[pulumi.Resource], over: Sequence[pulumi.Resource]) -> KServe:
        args = KServeArgs(
            installation=self.installation,
            mode=self.settings.serving.mode,
            domain=self.settings.gateway.domain,
            ingress=self.settings.gateway.ingress,
            gateway=gateway.reference,
            scheme=gateway.url.partition(":")[0],
            tracking_uri=self.tracking_uri,
            after=kinds,
            over=over,
        )
        return KServe("kserve", args, self.owner.child())
