"""The kinds of the Gateway API: Gateway, HTTPRoute and the like. What serves them is the gateway's business."""

import pulumi
from ml_platform.bundles.bundle import BundleArgs
from ml_platform.components.foreign import Foreign, ForeignArgs


class GatewayApi(Foreign):
    token = "ml-platform:gateway:GatewayApi"  # noqa: S105 - a type token

    def __init__(self, name: str, args: ForeignArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self.install(name, BundleArgs(installation=args.installation, bundle="gateway-api", after=args.after))
        self.register_outputs({})
