"""ml-platform:ownership: the owner of a whole stack, which all its resources share."""

from typing import Annotated

from pydantic import Field

from ml_platform.configuration import Settings

Word = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([-_a-z0-9]{0,61}[a-z0-9])?$",
        description="Lower-case letters, digits, - and _, 63 at most: Kubernetes and all clouds take it as a label.",
    ),
]


class OwnershipSettings(Settings):
    """ml-platform:ownership: the owner of the stack, its team, and its cost centre."""

    owner: Word | None = None
    """The person or group that is called when the stack fails."""
    team: Word | None = None
    """The team that works with the stack."""
    cost_centre: Word | None = None
    """The cost centre that pays for the stack."""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of cloud resources."""
        words = {"owner": self.owner, "team": self.team, "cost-centre": self.cost_centre}
        return {name: word for name, word in words.items() if word}

    @property
    def labels(self) -> dict[str, str]:
        """The labels of namespaces."""
        return {f"ml-platform/{name}": word for name, word in self.tags.items()}
