"""How the platform serves models."""

from typing import Annotated

from pydantic import Field

from ml_platform.configuration import Settings
from ml_platform.handle import ServingMode

Seconds = Annotated[str, Field(pattern=r"^([6-9]|[1-9]\d{1,2})s$")]
"""From 6s, the shortest that Knative takes, to 999s."""


class AutoscalingSettings(Settings):
    """How quickly models without requests shrink. Short times suit one machine, Knative's own suit a fleet."""

    stable_window: Seconds = "60s"
    """Over what time the load is averaged."""
    scale_to_zero_grace_period: Seconds = "30s"
    """How long the last pod stays when it is no longer wanted."""


class ServingSettings(Settings):
    """How models are served."""

    mode: ServingMode = "knative"
    """knative: revisions that shrink to zero. standard: Deployments behind routes of the Gateway API."""
    autoscaling: AutoscalingSettings = AutoscalingSettings()
    """Of mode knative."""
