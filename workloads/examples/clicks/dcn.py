"""The Deep & Cross Network V2: how likely each shown advertisement is to be clicked.

Crosses of all columns and a deep network stand beside each other, above one embedding of all categories. PyTorch alone
is needed; tensors share the memory of arrays, so that any release of NumPy will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
import torch
from architecture import Architecture
from encoder import Encoder
from mlflow.pyfunc import PythonModel
from torch import nn

ROWS = 65_536
"""So many are asked at once."""


class Cross(nn.Module):  # type: ignore[misc] # torch is not here where types are checked
    """One layer of crosses: each column with each, weighed by what the layers before have found."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weights, self.norm = nn.Linear(width, width), nn.LayerNorm(width)

    def forward(self, first: Any, before: Any) -> Any:
        return first * self.norm(self.weights(before)) + before


class Network(nn.Module):  # type: ignore[misc]
    """From numbers and indices to a score, whose sigmoid is the chance of a click."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, (wide, narrow) = architecture.width, architecture.hidden
        self.embedding = nn.Embedding(sum(architecture.sizes), architecture.embedding, sparse=True)
        nn.init.normal_(self.embedding.weight, std=0.05)
        starts = numpy.cumsum([0, *architecture.sizes[:-1]])
        self.register_buffer("starts", torch.tensor(starts.tolist()), persistent=False)
        self.crosses = nn.ModuleList(Cross(width) for _ in range(architecture.crosses))
        self.deep = nn.Sequential(nn.Linear(width, wide), nn.ReLU(), nn.Linear(wide, narrow), nn.ReLU())
        self.last = nn.Linear(width + narrow, 1)

    def forward(self, numbers: Any, indices: Any) -> Any:
        embedded = self.embedding(indices + self.starts).flatten(start_dim=1)
        first = torch.cat([numbers, embedded], dim=1)
        crossed = first
        for layer in self.crosses:
            crossed = layer(first, crossed)
        return self.last(torch.cat([crossed, self.deep(first)], dim=1)).squeeze(1)


@dataclass(frozen=True)
class Table:
    """Encoded rows as tensors."""

    numbers: Any
    indices: Any

    @staticmethod
    def of(encoder: Encoder, frame: Any) -> Table:
        numbers, indices = encoder.numbers(frame), encoder.indices(frame)
        return Table(
            torch.frombuffer(numbers, dtype=torch.float32).reshape(numbers.shape),
            torch.frombuffer(indices, dtype=torch.int64).reshape(indices.shape),
        )


class Clicks(PythonModel):
    """The network with its encoder: raw columns in; out comes how likely no click is, and a click."""

    def __init__(self, encoder: Encoder, network: Network) -> None:
        self.encoder, self.network = encoder, network

    def predict(self, model_input: Any) -> Any:
        """A column for each class."""
        likely = self.likely(model_input)
        return pandas.DataFrame({"0": 1 - likely, "1": likely})

    def likely(self, frame: Any) -> Any:
        """How likely each row is clicked."""
        with torch.no_grad():
            return numpy.array([each for part in self._parts(frame) for each in part.tolist()], dtype="float64")

    def _parts(self, frame: Any) -> Iterator[Any]:
        self.network.eval()
        for start in range(0, len(frame), ROWS):
            table = Table.of(self.encoder, frame.iloc[start : start + ROWS])
            yield torch.sigmoid(self.network(table.numbers, table.indices))
