"""The CRDs of the Gateway API: Gateway, HTTPRoute and the like. The gateway serves objects of these kinds."""

from ml_platform.components.foreign import Foreign
from ml_platform.needs import Needs
from ml_platform.settings.platform import PlatformSettings
from ml_platform.site import Site


class GatewayApi(Foreign):
    token = "ml-platform:gateway:GatewayApi"  # noqa: S105 - a type token

    def __init__(self, name: str, site: Site) -> None:
        super().__init__(name, site)
        self.install("gateway-api", name=name)
        self.register_outputs({})

    @classmethod
    def chosen(cls, settings: PlatformSettings) -> bool:
        """Whether the gateway or the models have routes of these kinds."""
        return settings.gateway.ingress == "istio" or settings.serving.mode == "standard"

    @classmethod
    def needs(cls, settings: PlatformSettings) -> Needs:
        return Needs(bundles=("gateway-api",))
