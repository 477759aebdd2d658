"""What webhook configurations trust, and what happens when nobody answers them."""

from typing import Any, Literal

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Transform


def ca_bundle(service: str, value: Any) -> Transform:
    """The trust (base64 of PEM) of every webhook that `service` answers."""

    def trusting(webhook: Object) -> Object:
        config = webhook.get("clientConfig") or {}
        if (config.get("service") or {}).get("name") != service:
            return webhook
        return {**webhook, "clientConfig": {**config, "caBundle": value}}

    return lambda item: _each_webhook(item, trusting)


def failure_policy(policy: Literal["Fail", "Ignore"]) -> Transform:
    """What all webhooks of the bundle do when nobody answers: for controllers that raise it themselves later."""
    return lambda item: _each_webhook(item, lambda webhook: {**webhook, "failurePolicy": policy})


def _each_webhook(item: Object, change: Transform) -> Object:
    if not item["kind"].endswith("WebhookConfiguration"):
        return item
    return {**item, "webhooks": [change(webhook) for webhook in item.get("webhooks") or []]}
