"""A platform of lean releases whose gateway is what a test is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform.platform import Platform, PlatformArgs
from ml_platform.tenancy import Tenancy
from support import chosen, recorder, stacks


def declare(gateway: Mapping[str, Any], secrets: Mapping[str, str] | None = None, **more: Any) -> recorder.Recorder:
    """With these settings of the gateway, and `more` of the platform; it exports what the gateway says."""
    settings = chosen.platform(**{"bundles": chosen.LEAN, **more, "gateway": gateway})

    def program() -> None:
        cluster = chosen.cluster(stacks.images({"tuning", *chosen.all_images(settings)}))
        handle = Platform("platform", PlatformArgs(cluster=cluster, settings=settings, tenancy=Tenancy())).handle
        pulumi.export("dns", handle.exports["dns"])
        pulumi.export("certificate_authority", handle.exports["certificate_authority"])

    config = {f"ml-platform:{name}": value for name, value in (secrets or {}).items()}
    return recorder.record(program, config=config, secrets=config)
