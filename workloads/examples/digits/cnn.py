"""Training code of one's own: a small convolutional network on pictures, by the PyTorch that Debian has.

That PyTorch was built for NumPy 1, and the image has NumPy 2: pictures become tensors by their bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy
import torch
from einops.layers.torch import Rearrange
from ml_runtime import train
from mlflow.pyfunc import PythonModel
from PIL import Image
from torch import nn

SIDE = 8
BATCH = 50


class Digits(PythonModel):
    """The network, asked with files and answering with the names of folders."""

    def __init__(self, network: Any, classes: Sequence[str]) -> None:
        self.network, self.classes = network, classes

    def predict(self, model_input: Any) -> Any:
        """The class of each picture in the column `content`."""
        with torch.no_grad():
            best = self.network(tensor(model_input["content"])).argmax(dim=1)
        return numpy.array([self.classes[number] for number in best.tolist()], dtype=object)


def tensor(files: Iterable[bytes]) -> Any:
    """All pictures, with pixels from 0 to 1."""
    pictures = (Image.open(BytesIO(file)).convert("L").resize((SIDE, SIDE)) for file in files)
    rows = [torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8) for picture in pictures]
    return torch.stack(rows).reshape(-1, 1, SIDE, SIDE) / 255


def network(classes: int) -> Any:
    """An untrained one."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        Rearrange("picture channel high wide -> picture (channel high wide)"),
        nn.Linear(32 * (SIDE // 2) ** 2, classes),
    )


def fit(features: Any, target: Any, parameters: Mapping[str, Any], seed: int) -> Any:
    """A network that was shown all pictures `epochs` times."""
    torch.manual_seed(seed)
    classes = sorted(set(target))
    pictures, truth = tensor(features["content"]), torch.tensor([classes.index(each) for each in target])
    learner = network(len(classes))
    optimizer = torch.optim.Adam(learner.parameters(), lr=parameters["rate"])
    for _ in range(parameters["epochs"]):
        for rows in torch.randperm(len(truth)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(learner(pictures[rows]), truth[rows]).backward()
            optimizer.step()
    return Digits(learner.eval(), classes)


if __name__ == "__main__":
    sys.exit(train.main(fit))
