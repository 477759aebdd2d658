"""The settings of model serving."""

from typing import Annotated

from pydantic import Field

from ml_platform.configuration import Settings
from ml_platform.handle import ServingMode

Seconds = Annotated[str, Field(pattern=r"^([6-9]|[1-9]\d{1,2})s$")]
"""Seconds from 6s, the shortest time that Knative takes, to 999s."""


class AutoscalingSettings(Settings):
    """The times of Knative's autoscaler. Short times suit one machine, the defaults suit a fleet."""

    stable_window: Seconds = "60s"
    """The time over which the load is averaged."""
    scale_to_zero_grace_period: Seconds = "30s"
    """The time that the last pod stays after it is no longer needed."""


class ServingSettings(Settings):
    """How models are served."""

    mode: ServingMode = "knative"
    """The objects that serve models. knative: revisions that scale to zero. standard: Deployments behind routes of the
    Gateway API."""
    autoscaling: AutoscalingSettings = AutoscalingSettings()
    """The times of the autoscaler, for mode knative."""
