"""The rules of an entry: what they remove, and that one without a match is an error."""

from typing import Any

import pytest
from ml_platform.bundles.catalog import Rule
from ml_platform.bundles.errors import BundleError
from ml_platform.bundles.rules import apply_rules

pytestmark = pytest.mark.unit


def hook(name: str) -> dict[str, Any]:
    return {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{"name": "a", "rules": [1]}, {"name": "b", "rules": [2]}],
    }


def rule(action: Any, path: str | None = None, name: str | None = "one", kind: str | None = None) -> Rule:
    return Rule(action=action, kind=kind or hook("")["kind"], name=name, path=path, why="a test")


def test_drop_removes_only_what_matches() -> None:
    assert apply_rules([hook("one"), hook("two")], [rule("drop")]) == [hook("two")]


def test_remove_reaches_each_item_of_a_list() -> None:
    (item,) = apply_rules([hook("one")], [rule("remove", "webhooks.*.rules")])
    assert item["webhooks"] == [{"name": "a"}, {"name": "b"}]


def test_remove_without_a_name_applies_to_all_of_the_kind() -> None:
    assert all(
        "webhooks" not in item for item in apply_rules([hook("one"), hook("two")], [rule("remove", "webhooks", None)])
    )


def test_the_argument_stays_as_it_was() -> None:
    given = hook("one")
    apply_rules([given], [rule("remove", "webhooks.*.rules")])
    assert given == hook("one")


@pytest.mark.parametrize(
    ("bad", "message"),
    [(rule("drop", kind="Job"), "matches no object"), (rule("remove"), "names no path")],
)
def test_a_rule_that_does_nothing_is_an_error(bad: Rule, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        apply_rules([hook("one")], [bad])
