"""The rules of an entry: what they drop, remove and set, and that one that fits nothing is an error."""

from copy import deepcopy
from typing import Any

import pytest
from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.rules import apply_rules, steps
from pydantic import ValidationError

pytestmark = pytest.mark.unit

KIND = "ValidatingWebhookConfiguration"


def hook(name: str) -> dict[str, Any]:
    return {
        "kind": KIND,
        "metadata": {"name": name, "annotations": {"a.b/c": "1", "a": "2"}},
        "webhooks": [{"name": "a", "rules": [1]}, {"name": "b", "rules": [2]}],
    }


def rule(action: Any = "drop", path: str | None = None, value: Any = None, **match: str) -> Rule:
    return Rule(action=action, path=path, value=value, why="a test", **{"kind": KIND, **match})


@pytest.mark.parametrize(
    ("match", "left"),
    [
        ({"name": "one"}, ["two", "job-"]),
        ({"name": "*"}, ["job-"]),
        ({"kind": "Validating*"}, ["job-"]),
        ({"kind": "*"}, []),
        ({"kind": "Job", "name": "job-*"}, ["one", "two"]),
        ({"kind": "*", "namespace": "home"}, ["one", "two"]),
        ({"kind": "*", "namespace": ""}, ["job-"]),
    ],
)
def test_drop_removes_only_what_matches(match: dict[str, str], left: list[str]) -> None:
    job = {"kind": "Job", "metadata": {"generateName": "job-", "namespace": "home"}}
    found = apply_rules([hook("one"), hook("two"), job], [rule(**match)])
    assert [item["metadata"].get("name") or item["metadata"]["generateName"] for item in found] == left


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("webhooks.*.rules", {"webhooks": [{"name": "a"}, {"name": "b"}]}),
        ("webhooks", {"webhooks": None}),
        ("metadata.annotations.[a.b/c]", {"metadata": {"name": "one", "annotations": {"a": "2"}}}),
    ],
)
def test_remove_takes_the_field_at_its_path(path: str, expected: dict[str, Any]) -> None:
    (item,) = apply_rules([hook("one")], [rule("remove", path)])
    assert {key: item.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("webhooks.*.failurePolicy", [{"name": "a", "rules": [1], "failurePolicy": "x"},
                                      {"name": "b", "rules": [2], "failurePolicy": "x"}]),
        ("webhooks", "x"),
    ],
)  # fmt: skip
def test_set_gives_the_value_to_every_field_at_its_path(path: str, expected: Any) -> None:
    (item,) = apply_rules([hook("one")], [rule("set", path, "x")])
    assert item["webhooks"] == expected


def test_set_makes_the_maps_on_its_way() -> None:
    (item,) = apply_rules([hook("one")], [rule("set", "spec.template.[a.b/c]", {"d": 1})])
    assert item["spec"] == {"template": {"a.b/c": {"d": 1}}}


def test_a_star_goes_over_the_values_of_a_map_too() -> None:
    given = {"kind": KIND, "metadata": {"name": "m"}, "data": {"a": {"drop": 1, "stay": 1}, "b": {"drop": 2}}}
    (item,) = apply_rules([given], [rule("remove", "data.*.drop")])
    assert item["data"] == {"a": {"stay": 1}, "b": {}}


@pytest.mark.parametrize("each", [rule("remove", "webhooks.*.rules"), rule("set", "webhooks.*.rules", [3])])
def test_the_argument_stays_as_it_was(each: Rule) -> None:
    given = hook("one")
    before = deepcopy(given)
    apply_rules([given], [each])
    assert given == before


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (rule(kind="Job"), r"drop Job \* \(a test\) matches no object"),
        (rule("remove", "spec.none"), r"remove .* at spec.none \(a test\) finds no such field"),
        (rule("remove", "webhooks.*.none"), "finds no such field"),
        (rule("set", "kind.below", 1), "finds no such field"),
        (rule("set", "webhooks.*", 1), "finds no such field"),
        (rule("remove", "a..b"), "is no path"),
        (rule("remove", "a.[b"), "is no path"),
    ],
)
def test_a_rule_that_does_nothing_is_an_error(bad: Rule, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        apply_rules([hook("one")], [bad])


@pytest.mark.parametrize(("action", "path"), [("drop", "a"), ("keep", "a"), ("remove", None), ("set", None)])
def test_a_rule_whose_path_does_not_fit_its_action_is_refused_by_the_catalog(action: str, path: str | None) -> None:
    with pytest.raises(ValidationError, match=f"a rule to {action} {KIND} \\* takes"):
        rule(action, path)


def test_the_steps_of_a_path() -> None:
    assert steps("metadata.annotations.[cert-manager.io/inject-ca-from].*") == [
        "metadata", "annotations", "cert-manager.io/inject-ca-from", None,
    ]  # fmt: skip
