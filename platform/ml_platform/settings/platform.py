"""ml-platform:platform as a whole, and the check that its blocks fit together."""

import inspect
from functools import cache as memoize
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from ml_platform.bundles.catalog import Size
from ml_platform.configuration import ImageReference, MisfitError, Settings
from ml_platform.settings.bundles import BundlesSettings
from ml_platform.settings.gateway import GatewaySettings
from ml_platform.settings.kubeflow import HOST, THROUGH_ISTIO, KubeflowSettings
from ml_platform.settings.monitoring import MonitoringSettings
from ml_platform.settings.services import MLflowSettings, ObjectStoreSettings, PostgresSettings
from ml_platform.settings.serving import ServingSettings

if TYPE_CHECKING:
    from ml_platform.components.add_on import AddOn

LoginSource = Literal["given", "cluster"]


class PlatformSettings(Settings):
    """ml-platform:platform: what a cluster needs before any ML work. Each add-on has one more block."""

    size: Size = "standard"
    """The requests and limits of the controllers of foreign software: small suits one machine."""
    bundles: BundlesSettings = BundlesSettings()
    certificates: Literal["own", "cert-manager"] = "own"
    """The issuer of the certificates of webhooks and of self-signed ones: the stack itself, or cert-manager, which is
    then installed."""
    gateway: GatewaySettings = GatewaySettings()
    serving: ServingSettings = ServingSettings()
    postgres: PostgresSettings = PostgresSettings()
    object_store: ObjectStoreSettings = ObjectStoreSettings()
    mlflow: MLflowSettings = MLflowSettings()
    monitoring: MonitoringSettings | None = None
    """Metrics, dashboards and alerts; without the block there are none."""
    kubeflow: KubeflowSettings | None = None
    """Parts of Kubeflow; without the block there are none."""
    images: dict[str, ImageReference] = Field(default_factory=dict)
    """Image references by digest, by our short names; they win over those that the cluster brings along."""
    registry_login: LoginSource | None = None
    """The login with which images are pulled. given: the stack's secret ml-platform:registry_login, a Docker
    configuration. cluster: the login of the registry that ml-platform:cluster makes on IONOS. Without it, nodes pull
    with their own rights."""

    def add_on(self, block: str) -> Any:
        """The block of an add-on; None where the settings have none."""
        return getattr(self, block, None)

    @property
    def has_pipelines(self) -> bool:
        """Whether the platform has Kubeflow Pipelines."""
        return self.kubeflow is not None and self.kubeflow.pipelines is not None

    @property
    def certified_below(self) -> tuple[str, ...] | None:
        """The hosts on the certificate beside the platform's own, below the domain; None where there is no
        certificate."""
        return self.gateway.certified_below

    @model_validator(mode="after")
    def _possible(self) -> Self:
        issuer = self.gateway.https.issuer if self.gateway.https else "none"
        if issuer in ("acme", "existing") and self.certificates != "cert-manager":
            rule = "cert-manager does it, and is not installed: set certificates: cert-manager, or another issuer"
            raise MisfitError("gateway.tls.issuer", rule)
        if self.serving.mode == "standard" and "autoscaling" in self.serving.model_fields_set:
            raise MisfitError(
                "serving.autoscaling", "it is Knative's alone; remove it, or set mode: knative", remove=True
            )
        if self.kubeflow:
            self._check_kubeflow(self.kubeflow)
        return self

    def _check_kubeflow(self, kubeflow: KubeflowSettings) -> None:
        """Refuses parts of Kubeflow whose needs outside of it are not met."""
        gateway, host = self.gateway, f"{HOST}.{self.gateway.domain}"
        if (parts := kubeflow.chosen(*THROUGH_ISTIO)) and gateway.ingress != "istio":
            rule = f"kubeflow.{parts[0]} makes routes of Istio: set istio, or leave {', '.join(parts)} out"
            raise MisfitError("gateway.ingress", rule, gateway.ingress)
        if kubeflow.pages and gateway.jwt is None:
            pages = ", ".join(kubeflow.pages)
            rule = (
                f"kubeflow.{kubeflow.pages[0]} believes the gateway about who somebody is: set it, or leave {pages} out"
            )
            raise MisfitError("gateway.jwt", rule)
        if gateway.jwt and kubeflow.pages and host in gateway.jwt.public_hosts:
            rule = f"{host} can't be public beside kubeflow.{kubeflow.pages[0]}, which would take anybody for anybody"
            raise MisfitError("gateway.jwt.public_hosts", f"{rule}: remove it", list(gateway.jwt.public_hosts))
        if gateway.https and gateway.https.issuer != "given" and kubeflow.pages and HOST not in gateway.https.hosts:
            rule = f"the pages of Kubeflow are at {host}, which the certificate needs: add {HOST}"
            raise MisfitError("gateway.tls.hosts", rule, list(gateway.https.hosts))
        pipelines, buckets = kubeflow.pipelines, self.object_store.buckets
        if pipelines and pipelines.bucket not in (None, *buckets):
            raise MisfitError("kubeflow.pipelines.bucket", f"it is one of object_store.buckets: {', '.join(buckets)}")


@memoize
def with_add_ons(add_ons: tuple[type["AddOn"], ...]) -> type[PlatformSettings]:
    """The model of ml-platform:platform with a block for each add-on."""
    blocks: dict[str, Any] = {
        each.block: (each.settings | None, Field(default=None, description=inspect.getdoc(each.settings)))
        for each in add_ons
    }
    return create_model("PlatformSettings", __base__=PlatformSettings, __doc__=PlatformSettings.__doc__, **blocks)
