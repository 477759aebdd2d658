"""A platform of lean releases whose gateway is what a test is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from ml_platform import selection
from ml_platform.clusters import Cluster
from ml_platform.configuration import validate
from ml_platform.platform import Platform
from ml_platform.settings import PlatformSettings
from support import recorder, stacks

LEAN = {"versions": {"knative-serving": "1.23.0-lean", "kserve": "0.20.0-lean"}}


def declare(gateway: Mapping[str, Any], secrets: Mapping[str, str] | None = None, **more: Any) -> recorder.Recorder:
    """With these settings of the gateway, and `more` of the platform; it exports what the gateway says."""
    settings = validate("platform", {"bundles": LEAN, **more, "gateway": gateway}, PlatformSettings)

    def program() -> None:
        cluster = Cluster(
            options={},
            kubeconfig=pulumi.Output.secret("{}"),
            seed=pulumi.Output.secret("a seed"),
            images=stacks.images({"tuning", *selection.image_names(settings)}),
            storage_class=None,
            disposable=True,
            protected=False,
        )
        made = Platform("platform", cluster, settings, labels={})
        pulumi.export("dns", made.dns)
        pulumi.export("certificate_authority", made.authority)

    config = {f"ml-platform:{name}": value for name, value in (secrets or {}).items()}
    return recorder.record(program, config=config, secrets=config)
