"""Learns clicks by several workers: each takes its part of the rows of each epoch, and all have the mean of what they
learn. A training that starts again goes on after the last epoch that was kept."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import torch
from architecture import Architecture
from columns import DENSE, SPARSE
from dcn import Clicks, Network, Table
from encoder import Encoder
from ml_runtime import checkpoints, train
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


def fit(features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
    """A network of which all workers together were shown all rows `epochs` times."""
    torch.manual_seed(seed)
    encoder = Encoder(DENSE, SPARSE).fit(features)
    table, clicked = Table.of(encoder, features), torch.tensor((target == "1").tolist(), dtype=torch.float32)
    architecture = Architecture(numbers=len(DENSE), sizes=tuple(encoder.sizes))
    network = Network(architecture)
    learner = DistributedDataParallel(network) if _size() > 1 else network
    optimizers = _optimizers(network, parameters["rate"])
    for epoch in range(_restored(architecture, network, optimizers), parameters["epochs"]):
        began, lost = time.monotonic(), 0.0
        for rows in _mine(len(clicked), seed + epoch).split(parameters["batch"]):
            for each in optimizers:
                each.zero_grad()
            score = learner(table.numbers[rows], table.indices[rows])
            loss = nn.functional.binary_cross_entropy_with_logits(score, clicked[rows])
            loss.backward()
            for each in optimizers:
                each.step()
            lost += loss.item() * len(rows)
        seconds, mean = time.monotonic() - began, lost * _size() / len(clicked)
        print(f"epoch {epoch}: loss {mean:.4f}, {seconds:.1f} s, {_size()} processes", flush=True)
        checkpoints.write(epoch, _state(architecture, network, optimizers, epoch))
    return Clicks(encoder, network)


def _optimizers(network: Any, rate: float) -> list[Any]:
    """One for the embedding, of which a step changes the rows that it has seen and no other, and one for all else."""
    embedding = network.embedding.weight
    others = [each for each in network.parameters() if each is not embedding]
    return [torch.optim.SparseAdam([embedding], lr=rate), torch.optim.Adam(others, lr=rate)]


def _size() -> int:
    """How many processes learn together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def _mine(count: int, seed: int) -> Any:
    """The numbers of this worker's rows: as many as each other worker has, or some would wait for a step that the
    others don't make."""
    rank, size = (distributed.get_rank(), _size()) if _size() > 1 else (0, 1)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[rank : count // size * size : size]


def _state(architecture: Architecture, network: Any, optimizers: Sequence[Any], epoch: int) -> bytes:
    content, moments = BytesIO(), [each.state_dict()["state"] for each in optimizers]
    kept = {"network": network.state_dict(), "moments": moments, "epoch": epoch, "architecture": architecture.plain}
    torch.save(kept, content)
    return content.getvalue()


def _restored(architecture: Architecture, network: Any, optimizers: Sequence[Any]) -> int:
    """The epoch to go on with."""
    kept = checkpoints.read()
    if kept is None:
        return 0
    state = torch.load(BytesIO(kept), weights_only=True)
    architecture.check(state["architecture"])
    network.load_state_dict(state["network"])
    for each, moments in zip(optimizers, state["moments"], strict=True):
        each.load_state_dict({**each.state_dict(), "state": moments})
    return int(state["epoch"]) + 1


if __name__ == "__main__":
    sys.exit(train.main(fit))
