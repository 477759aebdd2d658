"""Puts the flowers into the object store: measured in centimetres or, as somebody one day does, in inches."""

from __future__ import annotations

import argparse

import pandas
from put import put
from sklearn.datasets import load_iris

INCH = 2.54


def flowers(unit: float = 1.0) -> pandas.DataFrame:
    """All of them, their measures in units of so many centimetres."""
    found = load_iris(as_frame=True)
    columns = {name: name.removesuffix(" (cm)").replace(" ", "_") for name in found.data}
    species = found.target_names[found.target]
    return (found.data / unit).round(3).rename(columns=columns).assign(species=species)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inches", action="store_true")
    unit = INCH if parser.parse_args().inches else 1.0
    put({"examples/flowers.csv": flowers(unit).to_csv(index=False).encode()})
