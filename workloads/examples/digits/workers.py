"""The same network by several workers: each learns from its part of the pictures, and all have the mean of what they
learn. A training that starts again goes on after the last epoch that was kept."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import torch
from cnn import BATCH, Digits, network, tensor
from ml_runtime import checkpoints, train
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


def fit(features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
    """A network of which all workers together were shown all pictures `epochs` times."""
    torch.manual_seed(seed)
    classes = sorted(set(target))
    pictures, truth = tensor(features["content"]), torch.tensor([classes.index(each) for each in target])
    learner = DistributedDataParallel(network(len(classes)))
    optimizer = torch.optim.Adam(learner.parameters(), lr=parameters["rate"])
    for epoch in range(_restored(learner, optimizer), parameters["epochs"]):
        for rows in _mine(len(truth), seed + epoch).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(learner(pictures[rows]), truth[rows]).backward()
            optimizer.step()
        checkpoints.write(epoch, _state(learner, optimizer, epoch))
    return Digits(learner.module.eval(), classes)


def _mine(count: int, seed: int) -> Any:
    """The numbers of this worker's pictures: as many as each other worker has, or some would wait for a step that the
    others don't make."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[rank : count // size * size : size]


def _state(learner: Any, optimizer: Any, epoch: int) -> bytes:
    """Tensors and a whole number, which is all that `weights_only` of Debian's PyTorch takes."""
    content, moments = BytesIO(), optimizer.state_dict()["state"]
    torch.save({"network": learner.state_dict(), "moments": moments, "epoch": epoch}, content)
    return content.getvalue()


def _restored(learner: Any, optimizer: Any) -> int:
    """The epoch to go on with."""
    kept = checkpoints.read()
    if kept is None:
        return 0
    state = torch.load(BytesIO(kept), weights_only=True)
    learner.load_state_dict(state["network"])
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state["moments"]})
    return int(state["epoch"]) + 1


if __name__ == "__main__":
    sys.exit(train.main(fit))
