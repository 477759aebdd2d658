"""ml-platform:ownership: whom a stack belongs to. The same for all of it, so no block of its own has it."""

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
    """ml-platform:ownership: who is asked about the stack, and who pays for it."""

    owner: Word | None = None
    """Who is called at night."""
    team: Word | None = None
    """Who works with it."""
    cost_centre: Word | None = None
    """Who pays."""

    @property
    def tags(self) -> dict[str, str]:
        """As clouds have them."""
        words = {"owner": self.owner, "team": self.team, "cost-centre": self.cost_centre}
        return {name: word for name, word in words.items() if word}

    @property
    def labels(self) -> dict[str, str]:
        """As namespaces have them."""
        return {f"ml-platform/{name}": word for name, word in self.tags.items()}
