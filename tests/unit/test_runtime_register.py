"""The gate as a step of its own, against a registry of dicts: what it asks, what it registers, and nothing twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ml_runtime import data, register, store
from ml_runtime.errors import RunError
from ml_runtime.gate_spec import GateSpec, parse
from ml_runtime.serving import ServingError

ROWS = b"1,2,setosa\n3,4,virginica\n"
RIGHT, HALF = ["setosa", "virginica"], ["setosa", "setosa"]


def described(run: str = "iris-gate-1", candidate: str = "new", **gate: Any) -> GateSpec:
    rules = {"metric": "accuracy", "threshold": 0.9, **gate}
    columns = ["length", "width", "species"]
    return parse(
        {"run": run, "candidate": candidate, "columns": columns, "target": "species", "gate": rules, "model": "iris"}
    )


class Registry:
    """MLflow's runs, versions and alias, and what each model answers."""

    def __init__(self, **answers: list[str] | None) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.tags: dict[str, dict[str, str]] = {name: self._tags() for name in answers}
        self.versions: list[str] = []
        self.aliases: dict[str, str] = {}

    def _tags(self) -> dict[str, str]:
        return {"ml-platform.dataset.sha256": "d", "ml-platform.held-out.sha256": store.digest(ROWS)}

    def get_run(self, name: str) -> Any:
        outputs = SimpleNamespace(model_outputs=[SimpleNamespace(model_id=name)])
        info = SimpleNamespace(run_id=name, artifact_uri=f"mlflow-artifacts:/{name}")
        return SimpleNamespace(info=info, data=SimpleNamespace(tags=dict(self.tags[name])), outputs=outputs)

    def set_tag(self, name: str, tag: str, value: str) -> None:
        self.tags[name][tag] = value

    def get_logged_model(self, name: str) -> Any:
        return SimpleNamespace(artifact_location=name)

    def get_registered_model(self, _name: str) -> Any:
        return SimpleNamespace(aliases=self.aliases)

    def get_model_version(self, _name: str, version: str) -> Any:
        return SimpleNamespace(version=version, run_id=self.versions[int(version) - 1])

    def search_model_versions(self, _filter: str) -> list[Any]:
        found = [SimpleNamespace(version=str(number), run_id=run) for number, run in enumerate(self.versions, 1)]
        return found[::-1]

    def set_registered_model_alias(self, _name: str, alias: str, version: str) -> None:
        self.aliases[alias] = version

    def new_version(self, _spec: GateSpec, run: Any) -> Any:
        self.versions.append(run.info.run_id)
        return SimpleNamespace(version=str(len(self.versions)), run_id=run.info.run_id)

    def served(self, folder: Any, _name: str, _rows: data.Table, but: str) -> list[str]:
        assert but == "species"
        name = (folder / "name").read_text()
        self.asked.append(name)
        if (found := self.answers[name]) is None:
            raise ServingError("ModuleNotFoundError: no module named 'mine'")
        return found


def use(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr(register.tracking, "client", lambda: registry)
    monkeypatch.setattr(register, "_new_version", registry.new_version)
    monkeypatch.setattr(register.serving, "answers", registry.served)
    monkeypatch.setattr(register.serving, "signature", lambda _folder: None)
    monkeypatch.setattr(register.download, "fetch", lambda uri, folder: (folder / "name").write_text(uri))
    monkeypatch.setattr(register.download, "location", lambda _name, version: registry.versions[int(version) - 1])
    monkeypatch.setattr(register.download, "read", lambda _uri: ROWS)
    return registry


def test_an_accepted_candidate_is_a_version_with_the_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    verdict = register.register(described())
    assert (verdict.accepted, verdict.version, verdict.champion) == (True, "1", "1")
    assert (registry.versions, registry.aliases) == (["new"], {"champion": "1"})


def test_a_refused_candidate_leaves_the_registry_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=HALF), monkeypatch)
    verdict = register.register(described())
    assert (verdict.rule, verdict.version, verdict.champion) == ("threshold", None, None)
    assert (registry.versions, registry.aliases) == ([], {})


def test_candidate_and_champion_are_asked_about_the_same_rows_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=HALF, new=RIGHT), monkeypatch)
    register.register(described(candidate="old", threshold=None))
    verdict = register.register(described())
    assert registry.asked == ["old", "new", "old"]
    assert verdict.numbers == {
        "accuracy": 1.0, "champion_accuracy": 0.5, "threshold": 0.9, "held_out_rows": 2.0,
    }  # fmt: skip
    assert (verdict.champion, registry.versions) == ("2", ["old", "new"])


@pytest.mark.parametrize(("in_use", "stays"), [(None, "1"), ("1", "1"), ("2", "2")])
def test_a_model_with_more_versions_keeps_the_one_in_use(
    in_use: str | None, stays: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    registry.versions = ["new", "new", "new"]
    registry.aliases = {"champion": in_use} if in_use else {}
    assert register.register(described()).champion == stays
    assert len(registry.versions) == 3


@pytest.mark.parametrize("moment", ["set_registered_model_alias", "get_registered_model"])
def test_a_gate_that_is_killed_and_run_again_registers_nothing_twice(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    whole, calls = getattr(registry, moment), []

    def killed(*words: str) -> Any:
        calls.append(words)
        if len(calls) == (1 if moment.startswith("set") else 3):
            raise KeyboardInterrupt
        return whole(*words)

    with monkeypatch.context() as patch:
        patch.setattr(registry, moment, killed)
        with pytest.raises(KeyboardInterrupt):
            register.register(described())
    verdict = register.register(described())
    assert (verdict.accepted, verdict.version, registry.versions) == (True, "1", ["new"])


def test_a_champion_keeps_the_judgement_that_made_it_so(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(new=RIGHT), monkeypatch)
    first = register.register(described())
    assert register.register(described()) == first
    assert registry.asked == ["new"]


@pytest.mark.parametrize(("answers", "rule"), [(RIGHT, "accepted"), (HALF, "threshold")])
def test_under_other_rules_a_champion_is_judged_but_not_against_itself(
    answers: list[str], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = use(Registry(new=answers), monkeypatch)
    register.register(described(threshold=None))
    verdict = register.register(described(run="iris-gate-2"))
    assert (verdict.rule, verdict.champion, registry.versions) == (rule, "1", ["new"])


def test_a_candidate_that_the_serving_image_can_not_load_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = use(Registry(old=RIGHT, new=None), monkeypatch)
    register.register(described(candidate="old"))
    verdict = register.register(described())
    assert (verdict.rule, verdict.champion, registry.versions) == ("serving-image", "1", ["old"])
    assert "no module named 'mine'" in verdict.reason


def test_held_out_rows_that_somebody_replaced_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Registry(new=RIGHT), monkeypatch)
    monkeypatch.setattr(register.download, "read", lambda _uri: ROWS * 2)
    with pytest.raises(RunError, match="is not what its name says"):
        register.register(described())
