"""cert-manager: who issues certificates, where the settings want it so. It owns no issuer: that is for its users."""

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.components.foreign import Foreign, ForeignArgs


class CertManager(Foreign):
    token = "ml-platform:certificates:CertManager"  # noqa: S105 - a type token

    def __init__(self, name: str, args: ForeignArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.install(name, BundleArgs(installation=args.installation, bundle="cert-manager", after=args.after))
        self.register_outputs({})
