"""The kinds of the Gateway API: Gateway, HTTPRoute and the like. What serves them is the gateway's business."""

from ml_platform.components.foreign import Single


class GatewayApi(Single):
    token = "ml-platform:gateway:GatewayApi"  # noqa: S105 - a type token
    bundle = "gateway-api"
