"""What `make up` reads in a stack file before it builds anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_local import images, paths, stack, stackfile
from ml_local.errors import LocalError
from support.work import IRIS, changed

LEAN = {"bundles": {"versions": {"knative-serving": "1.23.0-lean", "kserve": "0.20.0-lean"}}}


def written(folder: Path, platform: dict[str, Any], **blocks: Any) -> Path:
    config = {"cluster": {"source": "local"}, "platform": {**LEAN, **platform}, **blocks}
    path = folder / "stack.yaml"
    path.write_text(yaml.safe_dump({"config": {f"ml-platform:{key}": value for key, value in config.items()}}))
    return path


def test_the_stacks_own_file_needs_the_lean_platform_and_what_holds_a_pod() -> None:
    wanted = stackfile.wanted(stack.stack_file())
    assert {"pause", "traefik", "knative-queue", "kserve-manager", "mlserver", "postgres"} < set(wanted)
    assert not {"base", "ml", "spark", "istio-proxy", "kube-rbac-proxy"} & set(wanted)


@pytest.mark.parametrize(
    ("platform", "more"),
    [
        ({"training": {"v1": True}}, {"training-operator"}),
        ({"training": {"v2": True}}, {"jobset", "trainer"}),
        ({"spark": {"operator": "kubeflow"}}, {"spark", "spark-operator"}),
    ],
)
@pytest.mark.mirror
def test_a_choice_brings_its_images(platform: dict[str, Any], more: set[str], tmp_path: Path) -> None:
    lean = set(stackfile.wanted(stack.stack_file()))
    assert set(stackfile.wanted(written(tmp_path, platform))) - lean == more


def test_a_search_brings_its_image(tmp_path: Path) -> None:
    search = {"operator": "ray", "data": "iris", "model": "iris"}
    file = written(tmp_path, {}, workloads=changed(IRIS, runs={"wide": search}))
    assert set(stackfile.wanted(file)) - set(stackfile.wanted(stack.stack_file())) == {"tuning"}


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Work whose model has packages of its own."""
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
    return changed(IRIS, models={"iris": {"packages": {"debian": ["python3-torch"]}}})


def test_packages_of_a_model_bring_a_layer_on_each_image_that_its_code_runs_in(
    packed: dict[str, Any], tmp_path: Path
) -> None:
    plain = stackfile.wanted(stack.stack_file())
    *ours, serving, training = stackfile.wanted(written(tmp_path, {}, workloads=packed))
    assert tuple(ours) == plain
    made = {name: images.with_bases([name])[name] for name in (serving, training)}
    assert [image.base for image in made.values()] == ["mlserver", "training"]
    assert all(image.copied()["debian.txt"].read_text() == "python3-torch\n" for image in made.values())


def test_a_layer_on_an_image_of_others_is_one_of_others_too(packed: dict[str, Any], tmp_path: Path) -> None:
    own = {"mlserver": f"registry.example.com/mlserver@sha256:{'0' * 64}"}
    with pytest.raises(
        LocalError, match=r"images\.mlserver is an image of others.*platform\.images\.mlserver-"
    ) as refused:
        stackfile.wanted(written(tmp_path, {"images": own}, workloads=packed))
    (name,) = re.findall(r"images\.(mlserver-[0-9a-f]{12})", str(refused.value))
    both = {**own, name: f"registry.example.com/layer@sha256:{'0' * 64}"}
    assert name not in stackfile.wanted(written(tmp_path, {"images": both}, workloads=packed))


def test_a_requirements_file_that_is_not_pinned_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    unpinned = changed(IRIS, models={"iris": {"packages": {"requirements": "workloads/images/requirements/none.txt"}}})
    with pytest.raises(LocalError, match=r"models\.iris\.packages\.requirements is .* can't be read"):
        stackfile.wanted(written(tmp_path, {}, workloads=unpinned))


@pytest.mark.parametrize("written_as", ["2026-09-01", "2026-09-01T12:00:00Z", '"2026-09-01"'])
@pytest.mark.parametrize("number", ["1e-4", "0.0001", "1.0e-4"])
def test_a_date_and_a_small_number_are_what_the_cli_takes_them_for(
    written_as: str, number: str, tmp_path: Path
) -> None:
    test, parameters = f"{{time: when, since: {written_as}}}", f"{{C: {number}, ratio: +1.5E3}}"
    file = tmp_path / "stack.yaml"
    file.write_text(f"""config:
  ml-platform:cluster: {{source: local}}
  ml-platform:platform: {json.dumps(LEAN)}
  ml-platform:workloads:
    data: {{iris: {{uri: sklearn:iris, target: species, test: {test}}}}}
    runs: {{iris: {{data: iris, model: iris, parameters: {parameters}}}}}
    models: {{iris: {{}}}}
""")
    assert "training" in stackfile.wanted(file)


def test_whose_it_is_changes_no_image(tmp_path: Path) -> None:
    assert stackfile.wanted(written(tmp_path, {}, ownership={"team": "red"})) == stackfile.wanted(stack.stack_file())


def test_the_gateways_ports_of_the_machine_are_known_before_it_is_there(tmp_path: Path) -> None:
    assert stackfile.gateway(stack.stack_file()) == [("127.0.0.1", 8080)]
    https = {"host_port": 80, "bind": "127.0.0.2", "tls": {"host_port": 443}}
    assert stackfile.gateway(written(tmp_path, {"gateway": https})) == [("127.0.0.2", 80), ("127.0.0.2", 443)]


def test_an_image_of_ones_own_is_not_built(tmp_path: Path) -> None:
    own = {"mlserver": f"registry.example.com/mlserver@sha256:{'0' * 64}"}
    assert "mlserver" not in stackfile.wanted(written(tmp_path, {"images": own}))


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ({"certificates": "cert-manager"}, ["cert-manager", "nearest choice", "certificates: own"]),
        ({"spark": {"operator": "stackable"}}, ["stackable", "spark: {operator: kubeflow}"]),
    ],
)
def test_what_nobody_can_build_here_is_refused_with_the_nearest_choice(
    platform: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    file = written(tmp_path, platform)
    with pytest.raises(LocalError) as refused:
        stackfile.wanted(file)
    for word in (str(file), *words):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["No such file", "CONFIG=FILE takes a stack file like"]),
        ("config: [", ["is not YAML", "line 2"]),
        ("- config", ["has no `config:`"]),
        ("config:\n  ml-platform:platform: {}\n", ["ml-platform:cluster.source", "is missing"]),
        ("config:\n  ml-platform:platfrom: {}\n", ["ml-platform:platfrom is no block", "ownership, platform"]),
        (
            "config:\n  ml-platform:cluster: {source: local}\n  ml-platform:platform: {gatewy: {}}\n",
            ["ml-platform:platform.gatewy is no setting", "gateway"],
        ),
        (
            "config:\n  ml-platform:cluster: {source: local}\n  ml-platform:workloads: {namespce: x}\n",
            ["ml-platform:workloads.namespce is no setting", "namespace"],
        ),
        (
            "config:\n  ml-platform:cluster: {source: local}\n  ml-platform:ownership: {tem: red}\n",
            ["ml-platform:ownership.tem is no setting", "cost_centre, owner, team"],
        ),
        (
            "config:\n  ml-platform:cluster: {source: existing}\n  ml-platform:platform: {}\n",
            ["`source: existing`", "{source: local}", "--config-file"],
        ),
        ("config:\n  ml-platform:cluster: {source: local}\n", ["ml-platform:platform is missing", "source local"]),
        ("config:\n  ml-platform:seed: {secure: v1:x}\n", ["ml-platform:seed is sealed", "Leave it out"]),
    ],
    ids=[
        "absent",
        "broken",
        "no mapping",
        "no cluster",
        "block",
        "platform",
        "workloads",
        "ownership",
        "existing",
        "no platform",
        "sealed",
    ],
)
def test_a_bad_file_is_named_with_the_rule_and_the_way_out(text: str | None, words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "stack.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(LocalError) as refused:
        stackfile.wanted(file)
    for word in (str(file), *words):
        assert word in str(refused.value)


@pytest.mark.mirror
@pytest.mark.parametrize("name", ["istio", "upstream"])
def test_all_images_of_the_nodes_stack_files_are_built_here(name: str) -> None:
    wanted = stackfile.wanted(paths.checkout() / "tests" / "stacks" / f"{name}.yaml")
    assert {"pause", "kserve-manager", "kube-rbac-proxy"} < set(wanted) <= set(images.table())
