"""Puts scikit-learn's pictures of handwritten digits into the object store: a PNG each, in the folder of its digit."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image
from put import put
from sklearn.datasets import load_digits

PREFIX = "examples/digits"
WHITE = 16  # the greatest value of a pixel there


def pictures(start: int = 0, end: int = 1000) -> dict[str, bytes]:
    """Those with numbers from `start` and below `end`, by their keys; there are 1,797."""
    found = load_digits()
    return {f"{PREFIX}/{found.target[number]}/{number}.png": _png(found.images[number]) for number in range(start, end)}


def _png(pixels: Any) -> bytes:
    stream = BytesIO()
    Image.fromarray((pixels * (255 / WHITE)).astype("uint8")).save(stream, "png")
    return stream.getvalue()


if __name__ == "__main__":
    put(pictures())
