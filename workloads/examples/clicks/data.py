"""Makes advertisements that were shown to people, and whether each was clicked; puts them into the object store as
parquet, in parts: those that are learned from, and later ones, in which people and advertisements are new.

Who clicks what depends on the group of the person and the category of the advertisement together, as it does in shops:
no column alone tells much. The same numbers of rows give the same bytes, and the chance of each click is known, so that
the best possible score is too.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator

import numpy
import pandas
from clicks.columns import DENSE, LABEL, SPARSE
from put import put

PREFIX = "examples/clicks"
ROWS, TEST = 1_000_000, 0.2
"""How many rows there are to learn from, and how many more to test by, as a part of them."""
PART = 100_000
NEW = 0.1
"""The part of the later rows whose person is new, and of as many others the advertisement."""
LEVELS, GROUPS, TASTES = 97, 13, 3
PLACES, TAGS = ("430539_1007", "430548_1007"), ("buy", "cart", "fav", "pv")
MISSING = 0.3
"""The part of people of whom some things are not known."""


class Shop:
    """All people and all advertisements, of whom a fifth is new in the later rows."""

    def __init__(self, rows: int, seed: int = 0) -> None:
        chance = numpy.random.default_rng(seed)
        self.known_people, self.known_ads = max(500, rows // 10), max(100, rows // 25)
        people, ads = self.known_people * 6 // 5, self.known_ads * 6 // 5
        categories, brands = 40 + ads // 100, 50 + ads // 20
        self._seed = seed
        self._people = _people(people, chance)
        campaigns, customers = numpy.arange(ads) // 2, numpy.arange(ads) // 4
        self._ads = pandas.DataFrame(
            {
                "adgroup_id": numpy.arange(ads) + 1,
                "cate_id": _popular(categories, ads, chance) + 1,
                "campaign_id": campaigns + 1,
                "customer": customers + 1,
                "brand": _popular(brands, ads, chance) + 1,
                "price": numpy.round(numpy.exp(chance.normal(4.5, 1.2, ads)), 2),
            }
        )
        self._taste = chance.normal(0, 1.1, (GROUPS, TASTES)), chance.normal(0, 1.1, (categories + 1, TASTES))
        self._brand, self._age = chance.normal(0, 0.4, brands + 1), chance.normal(0, 0.5, 7)
        self._tag = dict(zip(TAGS, (0.9, 0.5, 0.3, -0.4), strict=True))
        self._person, self._ad = chance.normal(0, 0.2, people), chance.normal(0, 0.2, ads)

    def shown(self, rows: int, part: int, *, later: bool = False) -> tuple[pandas.DataFrame, numpy.ndarray]:
        """So many rows, and the chance of a click of each."""
        chance = numpy.random.default_rng([self._seed, int(later), part])
        person, ad = _popular(self.known_people, rows, chance), _popular(self.known_ads, rows, chance)
        if later:
            fresh = chance.random(rows)
            person = numpy.where(fresh < NEW, chance.integers(self.known_people, len(self._people), rows), person)
            is_new = (fresh >= NEW) & (fresh < 2 * NEW)
            ad = numpy.where(is_new, chance.integers(self.known_ads, len(self._ads), rows), ad)
        table = pandas.concat(
            [self._people.iloc[person].reset_index(drop=True), self._ads.iloc[ad].reset_index(drop=True)], axis=1
        )
        table["pid"], table["btag"] = chance.choice(PLACES, rows), chance.choice(TAGS, rows, p=[0.05, 0.1, 0.1, 0.75])
        likely = 1 / (1 + numpy.exp(-self._score(table, person, ad)))
        table[LABEL] = (chance.random(rows) < likely).astype("int64")
        return table[[*SPARSE, *DENSE, LABEL]], likely

    def _score(self, table: pandas.DataFrame, person: numpy.ndarray, ad: numpy.ndarray) -> numpy.ndarray:
        of_groups, of_categories = self._taste
        taste = (of_groups[table.cms_group_id] * of_categories[table.cate_id]).sum(axis=1)
        thrifty = (table.pvalue_level.fillna(2) - 2) * (numpy.log(table.price) - 4.5)
        single = self._brand[table.brand] + self._age[table.age_level] + table.btag.map(self._tag)
        place = numpy.where(table.pid == PLACES[1], 0.2, -0.2)
        score = taste + 0.4 * thrifty + single + place + self._person[person] + self._ad[ad] - 2.6
        return numpy.asarray(score, dtype=float)


def parts(rows: int, *, later: bool = False, seed: int = 0) -> Iterator[tuple[pandas.DataFrame, numpy.ndarray]]:
    """All parts of the rows that are learned from, or of the later ones."""
    shop, count = Shop(rows, seed), max(1, int(rows * TEST)) if later else rows
    for part, start in enumerate(range(0, count, PART)):
        yield shop.shown(min(PART, count - start), part, later=later)


def _people(count: int, chance: numpy.random.Generator) -> pandas.DataFrame:
    """Whom it is shown to; their group says most about them."""
    level = chance.integers(0, LEVELS, count)
    unknown = chance.random((2, count)) < MISSING
    return pandas.DataFrame(
        {
            "userid": numpy.arange(count) + 1,
            "cms_segid": level,
            "cms_group_id": level % GROUPS,
            "final_gender_code": chance.integers(1, 3, count),
            "age_level": chance.integers(0, 7, count),
            "pvalue_level": numpy.where(unknown[0], numpy.nan, chance.integers(1, 4, count)),
            "shopping_level": chance.integers(1, 4, count),
            "occupation": chance.integers(0, 2, count),
            "new_user_class_level": numpy.where(unknown[1], numpy.nan, chance.integers(1, 5, count)),
        }
    )


def _popular(count: int, rows: int, chance: numpy.random.Generator) -> numpy.ndarray:
    """Numbers below `count`, of which the small ones come often and some once."""
    return (count * chance.random(rows) ** 3).astype("int64")


def _parquet(frame: pandas.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="how many rows to learn from; to test by, a fifth more")
    rows = parser.parse_args().rows
    for name, later in (("train", False), ("test", True)):
        for number, (frame, _) in enumerate(parts(rows, later=later)):
            put({f"{PREFIX}/{name}/part-{number:03}.parquet": _parquet(frame)})
