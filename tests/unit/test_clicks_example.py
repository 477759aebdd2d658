"""The example of clicks where no network is needed: its data, its encoder, what fits its checkpoints, and what its
predictor is asked."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy
import pandas
import pytest
from ml_local import paths
from sklearn.metrics import roc_auc_score

EXAMPLES = paths.checkout() / "workloads" / "examples"
ROWS = 20_000


@pytest.fixture(scope="module")
def module() -> Iterator[Any]:
    """A module of the example, by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        yield lambda name: importlib.import_module(f"clicks.{name}")


@pytest.fixture(scope="module")
def tables(module: Any) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """What is learned from, and what comes later."""
    made = ([part for part, _ in module("data").parts(ROWS, later=later)] for later in (False, True))
    training, later = (pandas.concat(parts) for parts in made)
    return training, later


@pytest.fixture(scope="module")
def encoder(module: Any, tables: Any) -> Any:
    columns = module("columns")
    return module("encoder").Encoder(columns.DENSE, columns.SPARSE).fit(tables[0])


def test_the_same_number_of_rows_gives_the_same_bytes_and_a_fifth_more_to_test_by(module: Any, tables: Any) -> None:
    again = pandas.concat([part for part, _ in module("data").parts(ROWS)])
    pandas.testing.assert_frame_equal(again, tables[0])
    assert [*map(len, tables)] == [ROWS, ROWS // 5]
    columns = module("columns")
    assert {*tables[0].columns} == {*columns.DENSE, *columns.SPARSE, columns.LABEL}
    assert len(columns.SPARSE) == 16


def test_many_rows_come_in_parts(module: Any) -> None:
    data = module("data")
    assert [len(part) for part, _ in data.parts(250_000)] == [100_000, 100_000, 50_000]


def test_who_clicks_can_be_told_and_not_by_chance(module: Any) -> None:
    parts = [*module("data").parts(ROWS, later=True)]
    clicked = pandas.concat([part.clk for part, _ in parts])
    assert 0.8 < roc_auc_score(clicked, numpy.concatenate([likely for _, likely in parts])) < 0.95
    assert 0.05 < clicked.mean() < 0.25


def test_a_tenth_of_what_comes_later_is_of_people_and_as_much_of_advertisements_that_nobody_has_seen(
    tables: Any,
) -> None:
    training, later = tables
    for name in ("userid", "adgroup_id"):
        assert (~later[name].isin(training[name].unique())).mean() == pytest.approx(0.12, abs=0.03)
    for name in ("cms_group_id", "pid", "btag"):
        assert later[name].isin(training[name].unique()).all()


def test_what_was_never_seen_or_not_often_enough_has_the_last_index(encoder: Any, tables: Any) -> None:
    training, later = tables
    counts = training.userid.value_counts()
    rare = counts.index[counts == 1][0]
    rows = later.head(3).assign(userid=[10**9, rare, counts.index[0]])
    last = encoder.sizes[encoder.sparse.index("userid")] - 1
    users = encoder.indices(rows)[:, encoder.sparse.index("userid")]
    assert ([*users[:2]], users[2] < last) == ([last, last], True)
    assert encoder.unseen(training)["userid"] > 0.001  # there is something to learn it from
    assert encoder.unseen(later)["userid"] > 0.09
    assert (encoder.indices(training).max(axis=0) < encoder.sizes).all()


def test_numbers_are_on_one_scale_and_a_missing_one_is_their_mean(encoder: Any, tables: Any) -> None:
    numbers = encoder.numbers(tables[0])
    assert (numbers.mean(), numbers.std(), numbers.dtype) == (pytest.approx(0, abs=1e-3), pytest.approx(1, 1e-3), "f4")
    assert encoder.numbers(tables[0].head(1).assign(price=None)).tolist() == [[0]]


def test_a_missing_category_is_one_of_its_own(encoder: Any, tables: Any) -> None:
    place = encoder.sparse.index("pvalue_level")
    levels = [encoder.indices(tables[0].head(1).assign(pvalue_level=level))[0, place] for level in (None, 1, 2, 3, 9)]
    assert levels == [0, 1, 2, 3, 4]


def test_a_caller_may_write_ids_and_numbers_as_texts(encoder: Any, tables: Any) -> None:
    rows = tables[1].head(200)
    for missing in (None, ""):
        texts = rows.astype(object).map(lambda value, missing=missing: missing if pandas.isna(value) else str(value))
        assert (encoder.indices(texts) == encoder.indices(rows)).all()
        assert encoder.numbers(texts) == pytest.approx(encoder.numbers(rows))
    assert encoder.numbers(rows.head(1).assign(price="")).tolist() == [[0]]
    with pytest.raises(ValueError, match=r"column 'price': 'much' is no number"):
        encoder.numbers(rows.head(1).assign(price="much"))


def test_it_is_pickled_as_plain_values_that_any_release_of_numpy_reads(encoder: Any, tables: Any) -> None:
    content = pickle.dumps(encoder)
    assert b"numpy" not in content
    assert b"pandas" not in content
    assert (pickle.loads(content).indices(tables[1]) == encoder.indices(tables[1])).all()


def test_weights_of_another_network_are_refused_by_what_differs(module: Any) -> None:
    made = module("architecture").Architecture
    mine = made(numbers=1, sizes=(5, 9))
    mine.check(made(numbers=1, sizes=(5, 9)).plain)
    assert mine.width == 17
    for other, words in (
        (made(numbers=1, sizes=(5, 9), embedding=16).plain, "whose embedding is 16, and this one's is 8"),
        (made(numbers=1, sizes=(5, 9), hidden=(64, 64)).plain, r"whose hidden is \[64, 64\], and this one's is \[128"),
        (made(numbers=1, sizes=(5, 8)).plain, r"whose sizes is \[5, 8\], and this one's is \[5, 9\]"),
        ({}, "whose numbers is None"),
    ):
        with pytest.raises(ValueError, match=f"{words}.*name another prefix in `checkpoints`"):
            mine.check(other)


def tensor(name: str, data: list[Any]) -> SimpleNamespace:
    return SimpleNamespace(name=name, as_numpy=lambda: numpy.array(data, dtype=object))


@pytest.mark.parametrize(
    "payload",
    [
        {"instances": [{"price": 1.5, "pid": "a"}, {"price": 2, "pid": "b"}]},
        {"inputs": [{"price": [1.5, 2], "pid": ["a", "b"]}]},
        {"inputs": [{"price": [1.5], "pid": ["a"]}, {"price": [2], "pid": ["b"]}]},
        SimpleNamespace(inputs=[tensor("pid", [b"a", b"b"]), tensor("price", [1.5, 2]), tensor("more", [0, 0])]),
    ],
    ids=["v1 rows", "v1 columns", "v1 tables", "v2"],
)
def test_the_predictor_takes_rows_columns_and_tensors(module: Any, payload: Any) -> None:
    found = module("predictor.asked").table(payload, ["price", "pid"])
    assert found.to_dict("list") == {"price": [1.5, 2], "pid": ["a", "b"]}


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"rows": []}, r"the request has \['rows'\]; it needs a list of `instances`, or of `inputs`"),
        ({"instances": [[1.5, "a"]]}, "each row is an object"),
        ({"instances": []}, "each row is an object"),
        ({"instances": [{"price": 1, "pid": "a"}, {"price": 1}]}, r"entry 1 has other columns than the first: \['p"),
        ({"inputs": [{"price": [1, 2], "pid": ["a"]}]}, r"different numbers of rows: \{'price': 2, 'pid': 1\}"),
        (SimpleNamespace(inputs=[tensor("price", [1])]), "missing: pid; the model takes price, pid"),
    ],
    ids=["no rows", "a list", "nothing", "other columns", "lengths", "missing"],
)  # fmt: skip
def test_a_request_that_does_not_fit_is_refused_with_what_to_change(module: Any, payload: Any, words: str) -> None:
    asked = module("predictor.asked")
    with pytest.raises(asked.RefusedError, match=words):
        asked.table(payload, ["price", "pid"])
