"""How large the parts of the network are; weights fit into one architecture and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Of the Deep & Cross Network V2."""

    numbers: int
    """Columns of numbers."""
    sizes: tuple[int, ...]
    """The categories of each other column."""
    embedding: int = 8
    """Numbers that stand for a category."""
    crosses: int = 2
    """Layers of crosses."""
    hidden: tuple[int, int] = (128, 64)
    """The width of both layers of the deep network."""

    @property
    def width(self) -> int:
        """Of what both networks are given."""
        return self.numbers + self.embedding * len(self.sizes)

    @property
    def plain(self) -> dict[str, Any]:
        """As a checkpoint keeps it."""
        return {name: [*value] if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def check(self, kept: Mapping[str, Any]) -> None:
        """Raises ValueError where the weights of a checkpoint are those of another network."""
        mine = self.plain
        for name in (each.name for each in fields(self)):
            if kept.get(name) != mine[name]:
                raise ValueError(
                    f"the checkpoint is of a network whose {name} is {_short(kept.get(name))}, and this one's is "
                    f"{_short(mine[name])}: its weights fit into no other. Remove the checkpoint, or name another "
                    "prefix in `checkpoints`"
                )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
