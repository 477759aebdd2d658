"""cert-manager, which issues certificates where the settings choose it. Issuers belong to components that use it."""

from collections.abc import Sequence

import pulumi

from ml_platform.bundles.transforms import arguments
from ml_platform.components.foreign import Foreign
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site

BUNDLE = "cert-manager"


class CertManager(Foreign):
    token = "ml-platform:certificates:CertManager"  # noqa: S105 - a type token

    def __init__(self, name: str, site: Site, routes: Sequence[pulumi.Resource] = ()) -> None:
        """`routes` are the CRDs of the Gateway API. cert-manager needs them where it answers HTTP challenges of a
        public authority through an HTTPRoute."""
        super().__init__(name, site)
        gateway = site.settings.gateway
        acme = gateway.https.acme if gateway.https else None
        by_route = gateway.ingress == "istio" and acme is not None and acme.dns01 is None
        enabled = arguments("Deployment", BUNDLE, {"--enable-gateway-api": "true"})
        self.install(BUNDLE, name=name, transforms=[enabled] if by_route else [], after=routes if by_route else [])
        self.register_outputs({})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        return settings.certificates == "cert-manager"

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=(BUNDLE,))
