"""ml-platform:platform as a whole, and which of its blocks don't go together."""

import inspect
from functools import cache as memoize
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from ml_platform.bundles.catalog import Size
from ml_platform.configuration import MisfitError, Settings
from ml_platform.settings.bundles import BundlesSettings
from ml_platform.settings.gateway import GatewaySettings
from ml_platform.settings.services import MLflowSettings, ObjectStoreSettings, PostgresSettings
from ml_platform.settings.serving import ServingSettings

if TYPE_CHECKING:
    from ml_platform.components.add_on import AddOn

LoginSource = Literal["given", "cluster"]
ImageReference = Annotated[str, Field(pattern=r"^[^@\s]+@sha256:[0-9a-f]{64}$")]


class PlatformSettings(Settings):
    """ml-platform:platform: what stands on the cluster before any ML work. Each add-on has one more block."""

    size: Size = "standard"
    """How much the controllers of foreign software are promised and may take: small suits one machine."""
    bundles: BundlesSettings = BundlesSettings()
    certificates: Literal["own", "cert-manager"] = "own"
    """Who issues certificates, of webhooks and self-signed ones: the stack itself, or cert-manager, which is then
    installed."""
    gateway: GatewaySettings = GatewaySettings()
    serving: ServingSettings = ServingSettings()
    postgres: PostgresSettings = PostgresSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    mlflow: MLflowSettings = MLflowSettings()
    images: dict[str, ImageReference] = Field(default_factory=dict)
    """Image references by digest, by name; they win over those that the cluster brings along."""
    registry_login: LoginSource | None = None
    """Whose login images are pulled with. given: the stack's secret ml-platform:registry_login, a Docker configuration.
    cluster: that of the registry which ml-platform:cluster makes, on IONOS. Without it, nodes pull by themselves."""

    def add_on(self, block: str) -> Any:
        """The block of an add-on; None where the settings have none."""
        return getattr(self, block, None)

    @property
    def certified_below(self) -> tuple[str, ...] | None:
        """What the certificate is for, below the domain; None where there is no certificate."""
        return self.gateway.certified_below

    @model_validator(mode="after")
    def _possible(self) -> Self:
        issuer = self.gateway.https.issuer if self.gateway.https else "none"
        if issuer in ("acme", "existing") and self.certificates != "cert-manager":
            rule = "cert-manager does it, and is not installed: set certificates: cert-manager, or another issuer"
            raise MisfitError("gateway.tls.issuer", rule)
        if self.serving.mode == "standard" and "autoscaling" in self.serving.model_fields_set:
            raise MisfitError(
                "serving.autoscaling", "it is Knative's alone; remove it, or set mode: knative", goes=True
            )
        return self


@memoize
def with_add_ons(add_ons: tuple[type["AddOn"], ...]) -> type[PlatformSettings]:
    """The settings with a block for each add-on."""
    blocks: dict[str, Any] = {
        each.block: (each.settings | None, Field(default=None, description=inspect.getdoc(each.settings)))
        for each in add_ons
    }
    return create_model("PlatformSettings", __base__=PlatformSettings, __doc__=PlatformSettings.__doc__, **blocks)
