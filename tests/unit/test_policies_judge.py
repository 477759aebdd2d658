"""What runs the policies: levels and parameters, exemptions and their last day, the unknown, and what crashes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2
from ml_policies.catalog import POLICIES
from ml_policies.engine import environments, exemptions, report
from ml_policies.engine.environments import Settings
from ml_policies.engine.exemptions import Exemption, SettingsError
from ml_policies.engine.judge import Judge
from ml_policies.engine.policy import Kinds, Parameters, Policy, ResourcePolicy, StackPolicy
from ml_policies.engine.resource import Resource
from ml_policies.engine.values import Hidden, UnknownError, read
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

TODAY = date(2026, 11, 21)
BUNDLE = "urn:pulumi:test::test::ml-platform:bundles:Bundle::kserve"


class Sizes(Parameters):
    maximum: int = 3
    """Of everything."""


def check(thing: Resource, parameters: Sizes) -> Iterator[str]:
    for size in thing.props["sizes"]:
        if size > parameters.maximum:
            yield f"it is {size}; make it {parameters.maximum}"


def count(_: Any, things: Any, __: Any) -> Iterator[str]:
    if len(things) > 1:
        yield "there are several; leave one"


def alone(thing: Resource, things: Any, _: Any) -> Iterator[str]:
    if thing.props["sizes"][0] > len(things):
        yield "it is larger than there are things"


SIZE = ResourcePolicy(
    name="size", asks="Small.", why="Room.", example="", parameters=Sizes, of=Kinds("Thing"), check=check
)
COUNT = StackPolicy(
    name="count", asks="One.", why="Peace.", example="", subjects=lambda _: [None], check=count, level="advisory"
)
ALONE = StackPolicy(name="alone", asks="Few.", why="Room.", example="", subjects=lambda things: things, check=alone)


def thing(*sizes: Any, parent: str = "") -> Resource:
    props = struct_pb2.Struct()
    metadata = {"name": "a", "namespace": "home"}
    props.update({"apiVersion": "v1", "kind": "Thing", "metadata": metadata, "sizes": list(sizes)})
    return Resource(type="kubernetes:test/v1:Thing", name="a", props=read(props), parent=parent)


def exemption(**fields: Any) -> Exemption:
    known = {"policies": ("size",), "resources": ("Thing home/*",), "reason": "it is as large as it is", "until": TODAY}
    return Exemption.model_validate({**known, **fields})


def messages(judge: Judge, *things: Resource) -> list[tuple[str, str]]:
    found = [*(each for one in things for each in judge.judge(one)), *judge.stack_findings(things)]
    return [(each.level, each.message) for each in found]


def judge(*exemptions: Exemption, stack: str = "", policies: tuple[Policy, ...] = (SIZE, COUNT)) -> Judge:
    return Judge(policies, exemptions, stack=stack, today=TODAY)


def test_each_problem_is_told_with_its_resource_and_its_level() -> None:
    large = [("mandatory", "Thing home/a: it is 4; make it 3"), ("mandatory", "Thing home/a: it is 5; make it 3")]
    assert messages(judge(), thing(1, 4, 5)) == large
    assert messages(judge(), thing(1), thing(2)) == [("advisory", "there are several; leave one")]


def test_an_environment_sets_levels_and_parameters() -> None:
    looser = judge()
    looser.configure("size", "advisory", {"maximum": 4})
    assert messages(looser, thing(4, 5)) == [("advisory", "Thing home/a: it is 5; make it 4")]
    looser.configure("size", "disabled", {})
    assert messages(looser, thing(5)) == []


@pytest.mark.parametrize(
    ("name", "level", "parameters", "words"),
    [
        ("sise", None, {}, "'sise' is no policy; there are count, size"),
        ("size", "strict", {}, "'strict' is no enforcement level; there are mandatory, advisory, disabled"),
        ("size", None, {"maximun": 3}, "parameters of size: maximum"),
        ("size", None, {"maximum": "x"}, "size.maximum: Input should be a valid integer"),
        ("count", None, {"maximum": 1}, "parameters of count: none"),
    ],
)
def test_settings_that_there_are_not_are_refused(name: str, level: str | None, parameters: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        judge().configure(name, level, parameters)


def test_an_exemption_holds_up_to_its_last_day_and_is_reported() -> None:
    lenient = judge(exemption())
    assert messages(lenient, thing(4, 5)) == []
    assert "2 findings exempt" in report.text(lenient, [thing()])
    told = "exempt until 2026-11-21: Thing home/*, 2 x size: it is as large as it is"
    assert told in report.text(lenient, [thing()])
    ((level, message),) = messages(judge(exemption(until=TODAY - timedelta(days=1))), thing(4))
    assert level == "mandatory"
    assert "(the exemption for it ended on 2026-11-20: it is as large as it is)" in message


def test_an_exemption_for_ever_is_refused_with_the_last_day_that_there_is() -> None:
    with pytest.raises(
        SettingsError, match=r"until = 2999-01-01 is 355\d\d\d days ahead .* which is 2027-12-26: renew"
    ):
        judge(exemption(until=date(2999, 1, 1)))
    judge(exemption(until=TODAY + timedelta(days=400)))


def test_an_exemption_that_fits_nothing_any_more_is_reported() -> None:
    lenient = judge(exemption(resources=("Thing home/a",)), exemption(), exemption(resources=("Other home/a",)))
    assert messages(lenient, thing(1)) == []
    told = "exempt from nothing any more: size for Thing home/a (until 2026-11-21); remove the exemption"
    assert [line for line in report.text(lenient, [thing(1)]).splitlines() if "nothing any more" in line] == [told]


def test_what_a_policy_finds_while_it_looks_for_its_parts_can_be_exempt_too() -> None:
    def parts(thing: Resource) -> Iterator[Any]:
        yield from thing.props["sizes"]

    looking = ResourcePolicy(name="size", asks="", why="", example="", of=parts, check=lambda part, _: ())
    foreign = thing(UNKNOWN_STRING_VALUE, parent=BUNDLE)
    assert len(messages(judge(policies=(looking,)), foreign)) == 1
    assert messages(judge(exemption(bundle="kserve"), policies=(looking,)), foreign) == []


@pytest.mark.parametrize(
    "fields",
    [{"resources": ("Thing away/*",)}, {"bundle": "?*"}, {"stacks": ("production",)}, {"policies": ("count",)}],
)
def test_an_exemption_is_of_what_it_names_only(fields: dict[str, Any]) -> None:
    assert len(messages(judge(exemption(**fields), stack="local"), thing(4))) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exemption = 3", "exemption"),
        ('[[exemption]]\npolicies = ["size"]\nresources = ["*"]\nuntil = 2026-12-31', "0.reason: Field required"),
        ('[[exemption]]\npolicies = ["size"]\nresources = ["*"]\nreason = "so"\nuntil = 2026-12-31', "at least 20"),
        ("[[exemption", "can't be read"),
    ],
)  # fmt: skip
def test_a_file_of_exemptions_that_breaks_a_rule_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "exemptions.toml").write_text(text)
    with pytest.raises(SettingsError, match=words):
        exemptions.load(tmp_path / "exemptions.toml")


def test_an_exemption_from_a_policy_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match="sise is no policy"):
        judge(exemption(policies=("sise",)))


def test_what_is_known_is_judged_and_what_is_unknown_is_counted() -> None:
    counting = judge()
    assert messages(counting, thing(4, UNKNOWN_STRING_VALUE, 5)) == [("mandatory", "Thing home/a: it is 4; make it 3")]
    assert "unknown before the update: size could not judge Thing home/a sizes[1]" in report.text(counting, [thing()])


def test_one_that_can_not_be_judged_beside_the_others_hides_none_of_them() -> None:
    counting = judge(policies=(ALONE,))
    found = messages(counting, thing(9), thing(UNKNOWN_STRING_VALUE), thing("x"), thing(8))
    assert [message for _, message in found if "crashed" not in message] == 2 * [
        "Thing home/a: it is larger than there are things"
    ]
    assert len(found) == 3
    assert "alone could not judge Thing home/a sizes[0]" in report.text(counting, [thing()])


def test_an_unknown_value_in_a_bundle_is_refused_by_a_mandatory_policy_only() -> None:
    foreign = thing(UNKNOWN_STRING_VALUE, parent=BUNDLE)
    ((level, message),) = messages(judge(), foreign)
    assert (level, "its sizes[0] is not known before the update" in message) == ("mandatory", True)
    assert messages(judge(exemption(bundle="kserve")), foreign) == []
    relaxed = judge()
    relaxed.configure("size", "advisory", {})
    assert messages(relaxed, foreign) == []


def test_a_crash_is_refused_even_where_the_policy_only_advises() -> None:
    relaxed = judge()
    relaxed.configure("size", "advisory", {})
    ((level, message),) = messages(relaxed, thing(1, "large"))
    assert level == "mandatory"
    assert "Thing home/a: policy size crashed (TypeError: " in message


def test_a_crash_is_told_in_one_line() -> None:
    def crash(_thing: Resource, _parameters: object) -> Iterator[str]:
        raise ValueError("two\n  lines")

    crashing = ResourcePolicy(name="crash", asks="", why="", example="", of=Kinds("Thing"), check=crash)
    ((_, message),) = messages(judge(policies=(crashing,)), thing())
    assert "policy crash crashed (ValueError: two lines)" in message


@pytest.mark.parametrize("props", [{"kind": "Job"}, {"kind": "Job", "metadata": 1, "spec": 2}, {}, {"kind": None}])
def test_a_strange_resource_is_refused_or_passed_but_never_stops_the_run(props: dict[str, Any]) -> None:
    strange = Resource(type="kubernetes:batch/v1:Job", name="strange", props=props)
    found = messages(Judge(POLICIES, [], today=TODAY), strange)
    assert all("strange" in message for _, message in found if "crashed" in message)


@pytest.mark.parametrize("path", sorted(environments.FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_an_environment_sets_what_there_is(path: Path) -> None:
    whole = Judge(POLICIES, exemptions.load())
    for name, settings in environments.load(path.stem).items():
        whole.configure(name, settings.level, settings.parameters)


def test_a_profile_is_the_settings_of_several_stacks_over_which_each_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "environments").mkdir()
    (tmp_path / "profiles" / "strict.toml").write_text('size = "mandatory"\n[count]\nmaximum = 1\nminimum = 0')
    (tmp_path / "environments" / "a.toml").write_text('profile = "strict"\n[count]\nmaximum = 2')
    found = environments.load("a", tmp_path / "environments")
    assert found == {"size": Settings("mandatory"), "count": Settings(None, {"maximum": 2, "minimum": 0})}
    (tmp_path / "environments" / "b.toml").write_text('profile = "strickt"')
    with pytest.raises(
        SettingsError, match="profile is 'strickt', of which there is no file in profiles/; there are s"
    ):
        environments.load("b", tmp_path / "environments")


def test_every_stack_for_users_has_the_profile_of_production() -> None:
    production = environments.load("production")
    assert "disruption-budget" in production
    for stack in ("eks", "eks-cluster", "gke", "gke-cluster", "ionos", "ionos-cluster", "existing"):
        assert environments.load(stack).keys() >= production.keys()


def test_a_level_alone_is_said_in_short(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('size = "advisory"\n[count]\nenforcementLevel = "disabled"\nmaximum = 1')
    found = environments.load("a", tmp_path)
    assert found == {"size": Settings("advisory"), "count": Settings("disabled", {"maximum": 1})}
    assert environments.load("b", tmp_path) == {}


@pytest.mark.parametrize(("text", "words"), [("size = 3", "size is 3; it must be an enforcement"), ("[size", "a.toml")])
def test_a_file_of_an_environment_that_says_something_else_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(SettingsError, match=words):
        environments.load("a", tmp_path)


def test_values_say_where_they_are_unknown() -> None:
    props = struct_pb2.Struct()
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "hidden"}
    props.update({"a": {"b": [1, UNKNOWN_STRING_VALUE]}, "c": 2.5, "d": secret, "e": None, "f": True})
    values = read(props)
    assert isinstance(values["d"], Hidden)
    assert (values["a"]["b"][0], values["c"], values["d"], values["e"], values["f"]) == (1, 2.5, "hidden", None, True)
    with pytest.raises(UnknownError, match=r"a\.b\[1\]"):
        list(values["a"]["b"])
    assert list(values["a"]) == ["b"]
