"""Makes measurements of wines and a grade for each, and puts them into the object store as a German spreadsheet saves
them: semicolons, decimal commas, a byte order mark, names of columns with spaces."""

from __future__ import annotations

import numpy
import pandas
from put import put


def wines(count: int = 1200, seed: int = 0) -> pandas.DataFrame:
    """So many wines; the grade is from 3 to 9, in tenths."""
    chance = numpy.random.default_rng(seed)
    acidity, sugar = chance.normal(7, 1, count).round(1), chance.lognormal(1, 0.8, count).round(1)
    alcohol, sulphates = chance.normal(10.5, 1.1, count).round(1), chance.normal(0.6, 0.12, count).round(2)
    grade = 1.8 + 0.42 * alcohol - 0.12 * acidity + 1.3 * sulphates + chance.normal(scale=0.35, size=count)
    frame = pandas.DataFrame({"fixed acidity": acidity, "residual sugar": sugar, "sulphates": sulphates})
    return frame.assign(alcohol=alcohol, quality=grade.clip(3, 9).round(1))


if __name__ == "__main__":
    text = wines().to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    put({"examples/wine-quality.csv": text.encode("utf-8-sig")})
