"""Makes two years of a town's demand for electricity, hour by hour, and puts them into the object store as CSV."""

from __future__ import annotations

import numpy
import pandas
from put import put


def demand(days: int = 730, seed: int = 0) -> pandas.DataFrame:
    """The demand of each hour with what is known the day before: the clock, a forecast, and the same hour's demand."""
    chance, hours = numpy.random.default_rng(seed), days * 24
    time = pandas.date_range("2024-11-01", periods=hours, freq="h", tz="UTC")
    season = numpy.cos(2 * numpy.pi * time.dayofyear / 365.25)
    outside = 12 - 10 * season + 4 * numpy.sin(2 * numpy.pi * (time.hour - 9) / 24) + chance.normal(scale=2, size=hours)
    working = numpy.where(time.dayofweek < 5, 1.0, 0.7)
    daily = numpy.clip(numpy.sin(numpy.pi * (time.hour - 5) / 17), 0, None)
    load = 40 + 55 * working * daily + 1.8 * numpy.clip(15 - outside, 0, None) + chance.normal(scale=2, size=hours)
    frame = pandas.DataFrame(
        {"time": time, "hour": time.hour, "weekday": time.day_name(), "forecast": outside.round(1)}
    )
    frame["day_before"] = pandas.Series(load).shift(24).round(2)
    frame["demand"] = load.round(2)
    return frame


if __name__ == "__main__":
    put({"examples/demand.csv": demand().to_csv(index=False).encode()})
