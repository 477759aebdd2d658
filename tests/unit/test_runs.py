"""Runs and gates as they are declared: what a run is told, what makes it a new one, who is judged by whom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from ml_platform import pods
from ml_platform.configuration import SettingsError
from support import serving, stacks, work
from support.recorder import UNKNOWN, NothingYet, Outputs, Recorder
from support.work import IRIS, changed

TWO = changed(IRIS, runs={"forest": {"data": "iris", "model": "iris", "estimator": "random-forest"}})
C = {"C": {"log_uniform": [0.1, 10]}}


def run(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, runs={"iris": changes})


def gate(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, models={"iris": {"gate": changes}})


def data(**changes: Any) -> dict[str, Any]:
    return changed(IRIS, data={"iris": changes})


def new(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The runs whose keys are others."""
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


@pytest.fixture(scope="module")
def tree() -> Recorder:
    return work.declare(IRIS)


@pytest.mark.parametrize(
    ("settings", "runs"),
    [
        (data(version="2"), {"iris", "iris-gate"}),
        (data(test={"salt": "b"}), {"iris", "iris-gate"}),
        (data(target="colour"), {"iris", "iris-gate"}),
        (data(task="regression"), {"iris", "iris-gate"}),
        (data(columns={"species": "text"}), {"iris", "iris-gate"}),
        (data(sample=100), {"iris", "iris-gate"}),
        (run(parameters={"C": 2}), {"iris", "iris-gate"}),
        (run(seed=1), {"iris", "iris-gate"}),
        (run(folds=5), {"iris", "iris-gate"}),
        (run(estimator="random-forest"), {"iris", "iris-gate"}),
        (run(estimator="logistic-regression"), set()),
        (gate(at_least=0.9), {"iris-gate"}),
        (gate(metric="recall"), {"iris-gate"}),
        (gate(metric="accuracy"), set()),
        (gate(versus_champion=None), {"iris-gate"}),
        (gate(approval="manual"), {"iris-gate"}),
        (run(timeout=60, retries=0, pool="gpu", scratch="5Gi", resources={"cpu_limit": "3", "gpu": 1}), set()),
    ],
    ids=lambda value: "",
)
def test_a_run_is_new_when_what_it_does_is_new_and_a_gate_judges_again_alone(
    settings: dict[str, Any], runs: set[str], tree: Recorder
) -> None:
    assert new(work.keys(tree), work.keys(work.declare(settings))) == runs


@pytest.mark.parametrize(("image", "runs"), [("mlserver", {"iris-gate"}), ("training", set())])
def test_only_another_serving_image_is_a_new_judgement_and_no_image_a_new_run(
    image: str, runs: set[str], tree: Recorder
) -> None:
    other = work.declare(IRIS, images={image: f"registry.test/{image}@sha256:{'1' * 64}"})
    assert new(work.keys(tree), work.keys(other)) == runs
    assert other.find(work.JOB, "iris").ignoreChanges == ["spec"]


def test_a_run_is_told_what_decides_it_and_where_its_verdict_goes(tree: Recorder) -> None:
    told = work.told(tree)
    verdict = {"namespace": "models", "configmap": work.key(tree)}
    assert told.pop("code_version") == stacks.images(["training"])["training"].partition("@")[2]
    assert told == {
        "run": work.key(tree),
        "verdict": verdict,
        "experiment": "iris",
        "estimator": "logistic-regression",
        "parameters": {},
        "seed": 0,
        "data": {
            "uri": "sklearn:iris",
            "target": "species",
            "task": "classification",
            "test": {"fraction": 0.2},
        },
    }


def test_a_gate_is_told_the_rules_and_the_candidate_that_the_run_left(tree: Recorder) -> None:
    told = work.told(tree, "iris-gate")
    assert (told["candidate"], told["model"]) == ("a1b2", "iris")
    assert told["image"] == stacks.images(["mlserver"])["mlserver"]
    assert told["gate"] == {
        "metric": "accuracy",
        "min_rows": 20,
        "versus_champion": {"margin": 0.0, "confidence": 0.95},
        "allow_signature_change": False,
        "approval": "automatic",
        "flavours": ["sklearn", "xgboost", "lightgbm", "onnx"],
    }


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (gate(versus_champion=None), {"versus_champion": None}),
        (gate(at_least=0.9), {"at_least": 0.9}),
        (changed(data(task="regression"), models={"iris": {"gate": {"at_most": 2}}}), {"metric": "rmse", "at_most": 2}),
        (gate(positive="virginica", metric="f1"), {"positive": "virginica", "metric": "f1"}),
        (changed(gate(approval="manual"), models={"iris": {"approved": 7}}), {"approval": "manual", "approved": 7}),
    ],
    ids=["no champion", "a bound", "the default of the task", "a class", "approved"],
)
def test_a_rule_of_the_gate_is_told_as_it_is_set(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected.items() <= work.told(work.declare(settings), "iris-gate")["gate"].items()


def test_an_approval_is_another_judgement_of_the_same_candidate() -> None:
    manual = gate(approval="manual")
    asked, approved = (work.declare(each) for each in (manual, changed(manual, models={"iris": {"approved": 7}})))
    assert new(work.keys(asked), work.keys(approved)) == {"iris-gate"}


class Champions(Outputs):
    """Each gate leaves the champion that it is said to leave."""

    def __init__(self, champions: dict[str, str]) -> None:
        super().__init__()
        self._champions = champions

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        name, found = super().new_resource(args)
        if args.typ.endswith(":RunOutcome") and name in self._champions:
            found["outputs"] = {**found["outputs"], "champion": self._champions[name]}
        return name, found


def competition(first: str, last: str) -> Recorder:
    return work.declare(
        changed(TWO, serving={"iris": {"model": "iris"}}),
        world=Champions({"iris-gate": first, "forest-gate": last, "iris-champion": last}),
    )


def test_of_two_runs_for_one_model_the_second_is_judged_against_the_champion_of_the_first() -> None:
    trees = [competition("3", "4"), competition("3", "3"), competition("5", "5")]
    before, other, after = (work.keys(tree) for tree in trees)
    assert new(before, other) == {"iris-champion"}
    assert new(before, after) == {"forest-gate", "iris-champion"}, (
        "another champion of the first is another judgement of the second"
    )
    assert trees[0].exports["model_versions"] == {"iris": "4"}


def test_the_second_gate_waits_for_the_first_and_its_run_does_not() -> None:
    tree = competition("3", "4")
    needs = {name: tree.find(work.CONFIGMAP, f"{name}-run").dependencies for name in ("forest", "forest-gate")}
    waits = {name: {urn.rpartition("::")[2] for urn in urns if "RunOutcome" in urn} for name, urns in needs.items()}
    assert waits == {"forest": set(), "forest-gate": {"iris-gate", "forest"}}


def test_in_a_preview_that_trains_no_gate_knows_its_name_but_all_are_there() -> None:
    tree = work.declare(TWO, world=NothingYet())
    keys = work.keys(tree)
    assert keys["forest-gate"] == UNKNOWN
    assert UNKNOWN not in (keys["iris"], keys["forest"], keys["iris-gate"])


SEARCHED = changed(
    run(parameters={"C": 3, "max_iter": 500}), runs={"wide": {"operator": "ray", "of": "iris", "space": C}}
)


def test_a_search_of_another_run_tries_its_program_on_its_data_for_its_model() -> None:
    told = work.told(work.declare(SEARCHED), "wide")
    assert (told["estimator"], told["experiment"]) == ("logistic-regression", "iris")
    assert (told["parameters"], told["space"]) == ({"max_iter": 500}, {"C": {"log_uniform": [0.1, 10.0]}})
    assert told["data"] == work.told(work.declare(SEARCHED))["data"]
    assert told["metric"] == "accuracy"


@pytest.mark.parametrize(
    ("other", "again"),
    [
        ({"parameters": {"max_iter": 100}}, True),
        ({"parameters": {"C": 4, "max_iter": 500}}, False),
        ({"seed": 5}, False),
    ],
    ids=["a parameter that all trials share", "one that is searched", "the seed of the run"],
)
def test_a_search_is_new_with_what_it_takes_of_the_other_run(other: dict[str, Any], again: bool) -> None:
    keys = [work.key(work.declare(each), "wide") for each in (SEARCHED, changed(SEARCHED, runs={"iris": other}))]
    assert (keys[0] != keys[1]) is again


def test_an_error_of_the_runs_own_ends_it_at_once_and_a_crash_is_tried_again(tree: Recorder) -> None:
    for name in ("iris", "iris-gate"):
        spec = tree.inputs(work.JOB, name)["spec"]
        (rule,) = spec["podFailurePolicy"]["rules"]
        assert (rule["action"], rule["onExitCodes"]) == (
            "FailJob",
            {
                "containerName": spec["template"]["spec"]["containers"][0]["name"],
                "operator": "In",
                "values": [pods.USER_ERROR],
            },
        )
        assert spec["template"]["spec"]["restartPolicy"] == "Never"
        assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (2, 900)


@pytest.mark.parametrize("name", ["iris", "iris-gate"])
def test_a_run_may_write_its_own_verdict_and_nothing_else(name: str, tree: Recorder) -> None:
    (rule,) = tree.inputs("Role", f"{name}-run")["rules"]
    assert rule["resourceNames"] == [work.key(tree, name)]
    assert set(rule["verbs"]) == {"get", "patch"}
    assert "data" not in tree.inputs("ConfigMap", f"{name}-verdict")


def test_the_gate_judges_in_the_image_that_serves_without_a_gpu_or_a_key_of_the_object_store() -> None:
    tree = work.declare(run(resources={"gpu": 2}))
    (learns,), (judges,) = (work.pod(tree, name)["containers"] for name in ("iris", "iris-gate"))
    assert judges["image"] == stacks.images(["mlserver"])["mlserver"]
    assert not [each["name"] for each in judges["env"] if "AWS" in each["name"]]
    assert learns["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert "nvidia.com/gpu" not in judges["resources"]["limits"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Pulumi.yaml."""
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))
    return tmp_path


def test_a_program_of_ones_own_comes_with_its_modules_and_is_a_reason_for_a_new_run(folder: Path) -> None:
    (folder / "mine").mkdir()
    keys = []
    for text in ("one", "other"):
        (folder / "own.py").write_text("import parts")
        (folder / "mine/parts.py").write_text(text)
        found = work.declare(run(script="own.py", modules=["mine/parts.py"]))
        files = found.inputs(work.CONFIGMAP, "iris-run")["data"]
        assert {name: files[name] for name in files if name != "run.json"} == {
            "own.py": "import parts",
            "parts.py": text,
        }
        assert "estimator" not in work.told(found)
        (container,) = work.pod(found)["containers"]
        assert container["args"] == ["ml_runtime.script", "/etc/ml-platform/own.py"]
        keys.append(work.key(found))
    assert keys[0] != keys[1]


def test_a_metric_of_ones_own_comes_with_the_gate(folder: Path) -> None:
    keys = []
    for text in ("one", "other"):
        (folder / "cost.py").write_text(text)
        tree = work.declare(gate(metric="cost.py"))
        assert tree.inputs(work.CONFIGMAP, "iris-gate-run")["data"]["metric.py"] == text
        assert work.told(tree, "iris-gate")["gate"]["metric"] == "metric.py"
        keys.append(work.keys(tree))
    assert new(*keys) == {"iris-gate"}


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (run(script="own.py"), "runs.iris.script"),
        (run(script="train.py", modules=["own.py"]), "runs.iris.modules"),
        (gate(metric="own.py"), "models.iris.gate.metric"),
    ],
)
def test_a_program_that_is_not_there_is_named_by_its_key(settings: dict[str, Any], key: str, folder: Path) -> None:
    (folder / "train.py").touch()
    with pytest.raises(SettingsError, match=rf"workloads\.{key} is 'own\.py', which can't be read: No such file"):
        work.declare(settings)


def test_a_served_version_is_a_number_of_the_registry() -> None:
    served = changed(IRIS, serving={"iris": {"model": "iris"}, "fixed": {"model": "other", "version": 2}})
    tree = work.declare(served)
    models = [tree.inputs(serving.ISVC, name)["spec"]["predictor"]["model"] for name in ("iris", "fixed")]
    assert [model["storageUri"] for model in models] == ["mlflow://iris/7", "mlflow://other/2"]
