"""Makes customers of a shop, of whom one in twelve has left, and puts them into the object store as CSV.

They are as such tables are: postcodes with leading zeros, values that are missing, several rows for a customer.
"""

from __future__ import annotations

import numpy
import pandas
from put import put


def customers(count: int = 4000, seed: int = 0) -> pandas.DataFrame:
    """A row for each quarter that a customer was seen in."""
    chance = numpy.random.default_rng(seed)
    customer = numpy.sort(chance.integers(0, count, 2 * count))
    tenure, orders = chance.integers(0, 60, 2 * count).astype(float), chance.poisson(3, 2 * count)
    plan = chance.choice(["basic", "plus", "family"], 2 * count, p=[0.6, 0.3, 0.1])
    support = chance.poisson(0.6, 2 * count)
    risk = 1.1 * support - 0.06 * tenure - 0.5 * orders + numpy.where(plan == "basic", 0.7, -0.3)
    left = risk + chance.logistic(size=2 * count) > 2.1
    tenure[chance.random(2 * count) < 0.1] = numpy.nan
    frame = pandas.DataFrame(
        {"customer": customer, "postcode": [f"{n:05}" for n in chance.integers(1000, 99999, 2 * count)]}
    )
    frame["country"] = chance.choice(["DE", "FR", "AT", ""], 2 * count, p=[0.6, 0.2, 0.15, 0.05])
    return frame.assign(
        plan=plan, tenure=tenure, orders=orders, support=support, churned=numpy.where(left, "yes", "no")
    )


if __name__ == "__main__":
    put({"examples/churn.csv": customers().to_csv(index=False).encode()})
