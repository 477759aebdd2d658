"""Node pools that others made, as the settings describe them."""

from typing import Annotated, Literal

from pydantic import Field

from ml_platform.configuration import Settings

LabelName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
        description="The name of a label or a taint: example.com/pool.",
    ),
]
LabelValue = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
        description="The value of a label or a taint: at most 63 letters, digits, hyphens, underscores and dots.",
    ),
]


class TaintSettings(Settings):
    """A taint, which keeps pods without a toleration off the nodes of a pool."""

    key: LabelName
    value: LabelValue = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"


class GivenPoolSettings(Settings):
    """Nodes of one kind, by their labels and taints."""

    labels: dict[LabelName, LabelValue] = Field(default_factory=dict)
    """Labels of the pool's nodes; without any, `ml-platform/pool: <name of this block>`, which pools have that a stack
    of this program made."""
    taints: tuple[TaintSettings, ...] = ()
    """All taints of the pool's nodes, as `kubectl get nodes -o yaml` shows them."""
