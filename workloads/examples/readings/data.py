"""Makes readings of machines, and whether each failed soon after; puts them into the object store as parquet, in
parts.
"""

from __future__ import annotations

import io

import numpy
import pandas
from put import put

SENSORS = 8


def part(number: int, rows: int) -> pandas.DataFrame:
    """One part: sensors around their working point, and failures where two of them drift together."""
    chance = numpy.random.default_rng(number)
    frame = pandas.DataFrame(chance.normal(size=(rows, SENSORS)), columns=[f"sensor_{n}" for n in range(SENSORS)])
    drift = frame["sensor_1"] + frame["sensor_4"] * frame["sensor_1"] - 0.5 * frame["sensor_6"]
    frame.insert(0, "machine", chance.integers(0, 200, rows))
    frame["failed"] = numpy.where(drift + chance.normal(scale=0.3, size=rows) > 1.2, "yes", "no")
    return frame


def parquet(frame: pandas.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


if __name__ == "__main__":
    put({f"examples/readings/part-{n:03}.parquet": parquet(part(n, 20_000)) for n in range(10)})
