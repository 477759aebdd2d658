"""The space of a search in ml-platform:workloads: the values that each parameter of a run may take."""

from typing import Annotated, Self

from ml_platform.configuration import MisfitError, Settings, one_rule
from pydantic import Field, model_validator

from ml_workloads.fields import Parameter

Two = Field(min_length=2, max_length=2)
Bounds = Annotated[list[float], Two, one_rule("it is a list of two numbers")]
WholeBounds = Annotated[list[int], Two, one_rule("it is a list of two whole numbers")]


class DomainSettings(Settings):
    """The values of a parameter: one of these."""

    uniform: Bounds | None = None
    log_uniform: Bounds | None = None
    """Each order of magnitude is as likely as the others."""
    integer: WholeBounds | None = None
    """Both ends are included."""
    choice: Annotated[list[Parameter], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_that_has_values(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("it has one of: uniform, log_uniform, integer, choice")
        bounds = self.uniform or self.log_uniform or self.integer
        if bounds and bounds[0] >= bounds[1]:
            raise MisfitError(given[0], "the first number must be less than the second")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise MisfitError("log_uniform", "both numbers must be above 0")
        return self


XGBOOST: dict[str, DomainSettings] = {
    "max_depth": DomainSettings(integer=[1, 8]),
    "min_child_weight": DomainSettings(choice=[1, 2, 3]),
    "subsample": DomainSettings(uniform=[0.5, 1.0]),
    "eta": DomainSettings(log_uniform=[1e-4, 1e-1]),
}
"""The space of XGBoost where the settings give none."""
