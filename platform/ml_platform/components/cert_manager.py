"""cert-manager: who issues certificates, where the settings want it so. It owns no issuer: that is for its users."""

from dataclasses import dataclass

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.bundles.transforms import arguments
from ml_platform.components.foreign import Foreign, ForeignArgs

BUNDLE = "cert-manager"


@dataclass(frozen=True, kw_only=True)
class CertManagerArgs(ForeignArgs):
    routes: bool
    """Whether it leads questions of public authorities to itself by routes of the Gateway API, which must be there."""


class CertManager(Foreign):
    token = "ml-platform:certificates:CertManager"  # noqa: S105 - a type token

    def __init__(self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        enabled = arguments("Deployment", BUNDLE, {"--enable-gateway-api": "true"})
        transforms = [enabled] if args.routes else []
        self.install(
            name,
            BundleArgs(installation=args.installation, bundle=BUNDLE, transforms=transforms, after=args.after),
        )
        self.register_outputs({})
