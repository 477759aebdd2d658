"""Transforms of webhook configurations: the authority that they trust."""

from typing import Any

from ml_platform.bundles.parse import Object
from ml_platform.bundles.transforms.transform import Transform


def ca_bundle(service: str, value: Any) -> Transform:
    """Sets the caBundle (base64 of PEM) of every webhook that `service` answers."""

    def trusting(webhook: Object) -> Object:
        config = webhook.get("clientConfig") or {}
        if (config.get("service") or {}).get("name") != service:
            return webhook
        return {**webhook, "clientConfig": {**config, "caBundle": value}}

    def transform(item: Object) -> Object:
        if not item["kind"].endswith("WebhookConfiguration"):
            return item
        return {**item, "webhooks": [trusting(webhook) for webhook in item.get("webhooks") or []]}

    return transform
