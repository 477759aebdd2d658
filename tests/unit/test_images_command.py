"""`make images`: what is built, pushed and written, what is refused before, and how an interrupted run goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ml_images import recipes
from ml_images.__main__ import main
from ml_local import images
from ml_platform import repositories
from support import image_registry
from support.image_registry import World
from support.work import IRIS, changed

OURS = {"mlflow", "mlserver", "postgres", "traefik", "training", "versitygw"}
BELOW = {"base", "ml", "commands"}
STACK = (
    "config:\n  ml-platform:cluster: {source: existing}\n  ml-platform:seed: {secure: v1:x}\n  ml-platform:platform:\n"
)


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with image_registry.running(tmp_path / "world") as found:
        found.install("docker")
        found.log_in()
        monkeypatch.setenv("PATH", f"{found.folder / 'bin'}:/usr/bin:/bin")
        monkeypatch.setenv("HOME", str(found.folder / "home"))
        monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path / "cache"))
        for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
            monkeypatch.delenv(name, raising=False)
        yield found


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    file = tmp_path / "Pulumi.mine.yaml"
    file.write_text(f"{STACK}    size: small # ours\n")
    return file


def make(world: World, *words: str) -> int:
    return main(["--registry", f"{world.host}/ml", *words])


def named(stack: Path) -> dict[str, str]:
    return dict(yaml.safe_load(stack.read_text())["config"]["ml-platform:platform"].get("images", {}))


def built(world: World) -> list[str]:
    return [call.partition("--tag ")[2].split()[0] for call in world.calls() if "--tag" in call]


def test_the_images_of_a_stack_are_pushed_and_their_digests_written_and_a_second_run_builds_nothing(
    world: World, stack: Path
) -> None:
    assert make(world, "--config", str(stack)) == 0
    assert world.pushed() == OURS | BELOW
    assert set(named(stack)) == OURS
    assert all(text.startswith(f"{world.host}/ml/{name}@sha256:") for name, text in named(stack).items())
    written, calls = stack.read_text(), len(built(world))
    assert make(world, "--config", str(stack)) == 0
    assert (stack.read_text(), len(built(world))) == (written, calls)


def test_an_image_is_built_on_the_digest_of_its_base_and_copies_from_that_of_its_commands(
    world: World, stack: Path
) -> None:
    assert make(world, "--config", str(stack), "--platform", "linux/arm64,linux/amd64") == 0
    (mlflow,) = (call for call in world.calls() if "/ml/mlflow:" in call)
    assert f"--build-arg BASE={world.host}/ml/ml@sha256:" in mlflow
    assert "--platform linux/amd64,linux/arm64" in mlflow
    (store,) = (call for call in world.calls() if "/ml/versitygw:" in call)
    assert f"--build-context commands=docker-image://{world.host}/ml/commands@sha256:" in store
    (commands,) = (call for call in world.calls() if "/ml/commands:versitygw-" in call)
    assert "--build-arg MODULE=versitygw --build-arg ARCHITECTURES=amd64 arm64" in commands


@pytest.fixture
def packed(stack: Path) -> Path:
    """The file of a stack whose model has packages of its own."""
    work = changed(IRIS, models={"iris": {"packages": {"debian": ["python3-torch"]}}})
    stack.write_text(f"{stack.read_text()}  ml-platform:workloads: {json.dumps(work)}\n")
    return stack


def test_a_layer_is_built_on_the_digest_of_its_base_and_lies_beside_it(world: World, packed: Path) -> None:
    assert make(world, "--config", str(packed)) == 0
    assert world.pushed() == OURS | BELOW
    written = named(packed)
    (serving, training) = sorted(set(written) - OURS)
    assert (serving.rpartition("-")[0], training.rpartition("-")[0]) == ("mlserver", "training")
    assert written[training].startswith(f"{world.host}/ml/training@sha256:")
    (call,) = (call for call in world.calls() if "Containerfile.layer" in call and "/ml/training:" in call)
    assert f"--build-arg BASE={written['training']}" in call
    calls = len(built(world))
    assert make(world, "--config", str(packed)) == 0
    assert len(built(world)) == calls


def test_a_layer_on_an_image_of_somebody_else_is_built_on_that_one(world: World, packed: Path) -> None:
    assert make(world, "mlserver") == 0
    (path,) = (world.folder / "registry/ml/mlserver").iterdir()
    other = f"{world.host}/ml/mlserver@{image_registry._find(path.parent, path.name)}"
    packed.write_text(packed.read_text().replace("    size: small # ours", f"    images: {{mlserver: {other}}}"))
    assert main(["--registry", f"{world.host}/elsewhere", "--config", str(packed)]) == 0
    (call,) = (call for call in world.calls() if "Containerfile.layer" in call and "/elsewhere/mlserver:" in call)
    assert f"--build-arg BASE={other}" in call
    assert not [call for call in world.calls() if "Containerfile.mlserver" in call and "/elsewhere/" in call]


def test_other_platforms_another_debian_or_nothing_in_common_is_another_tag(world: World) -> None:
    choices: list[list[str]] = [[], ["--platform", "linux/arm64"], ["--base", "mirror.example.com/debian:12"]]
    for choice in choices:
        assert make(world, *choice, "postgres") == 0
    assert len(set(built(world))) == len(choices)


def test_an_image_of_somebody_else_stays_and_is_not_built(world: World, stack: Path) -> None:
    assert make(world, "postgres") == 0
    (path,) = (world.folder / "registry/ml/postgres").iterdir()
    there = image_registry._find(path.parent, path.name)
    other = f"{world.host}/ml/postgres@{there}"
    stack.write_text(f"{STACK}    images: {{postgres: {other}}}\n")
    before = len(built(world))
    assert main(["--registry", f"{world.host}/elsewhere", "--config", str(stack)]) == 0
    assert named(stack)["postgres"] == other
    assert not [each for each in built(world)[before:] if "postgres" in each]


def test_a_digest_that_is_not_there_is_named_with_its_setting_before_anything_is_built(
    world: World, stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = f"{world.host}/theirs/postgres@sha256:{'0' * 64}"
    stack.write_text(f"{STACK}    images: {{postgres: {gone}}}\n")
    assert make(world, "--config", str(stack)) == 1
    assert f"ml-platform:platform.images.postgres: {gone}" in capsys.readouterr().out
    assert built(world) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ERROR: failed to push {host}/ml/mlflow: no space left on device", "has no room for"),
        ("ERROR: failed to push {host}/ml/mlflow: connection reset by peer", "went away while"),
        ("ERROR: failed to push {host}/ml/mlflow: denied: requested access", "refused {host}/ml/mlflow"),
        ("exec /bin/sh: exec format error", "tonistiigi/binfmt"),
        ("ERROR: No matching distribution found for mlflow==3.99", "has no mlflow==3.99"),
        (
            "Retrying (Retry(total=0: CERTIFICATE_VERIFY_FAILED\nNo matching distribution found for a",
            "SECRETS=ca=<file>",
        ),
        ("Certificate verification failed: The certificate is NOT trusted", "SECRETS=ca=<file>"),
    ],
)
def test_a_run_that_fails_says_why_and_the_next_one_builds_only_what_is_left(
    words: str, said: str, world: World, stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stack.read_text()
    world.fail("mlflow", words.format(host=world.host))
    assert make(world, "--config", str(stack)) == 1
    assert said.format(host=world.host) in capsys.readouterr().out
    assert stack.read_text() == before
    done = world.pushed()
    assert {"base", "ml"} < done
    world.mend()
    calls = len(built(world))
    assert make(world, "--config", str(stack)) == 0
    assert not [each for each in built(world)[calls:] if "/ml/base:" in each or "/ml/ml:" in each]
    assert set(named(stack)) == OURS


@pytest.mark.parametrize("user", [None, "somebody:wrong"])
def test_a_login_that_is_missing_or_wrong_is_told_before_anything_is_built(
    user: str | None, world: World, stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.folder / "home/.docker/config.json").unlink()
    if user:
        world.log_in(user)
    assert make(world, "--config", str(stack)) == 1
    printed = capsys.readouterr().out
    assert f"`docker login {world.host}`" in printed
    assert "wrong" not in printed
    assert built(world) == []


def test_a_registry_that_makes_no_repositories_is_named_with_the_one_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with image_registry.running(tmp_path / "closed", closed=True) as world:
        world.log_in()
        (tmp_path / "world/home/.docker/config.json").write_text(
            (tmp_path / "closed/home/.docker/config.json").read_text()
        )
        assert make(world, "postgres") == 1
    assert "has no repository ml/postgres, and makes none by itself" in capsys.readouterr().out


def test_the_registry_of_eks_has_a_repository_for_each_image_that_can_be_pushed_and_no_other() -> None:
    ours = [name for name, image in images.table().items() if not image.tag]
    pushed = {each.repository for each in recipes.recipes(ours, ["linux/amd64"]).values()}
    assert pushed > OURS | BELOW | {"spark", "tuning"}
    assert set(repositories.names()) == pushed


def test_a_registry_that_is_away_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--registry", "127.0.0.1:1/ml", "postgres"]) == 1
    assert "the registry 127.0.0.1:1 does not answer" in capsys.readouterr().out


def test_what_was_pushed_and_is_not_there_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / "loses").touch()
    assert make(world, "postgres") == 1
    assert f"{world.host}/ml/postgres:" in capsys.readouterr().out


def test_a_read_only_stack_file_is_refused_before_anything_is_built(
    world: World, stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.chmod(0o444)
    assert make(world, "--config", str(stack)) == 1
    assert f"{stack} is read-only" in capsys.readouterr().out
    assert built(world) == []


def test_without_a_stack_the_block_is_printed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert make(world, "postgres", "mlflow") == 0
    printed = capsys.readouterr().out.partition("ml-platform:platform:")
    block = yaml.safe_load(printed[1] + printed[2])
    assert set(block["ml-platform:platform"]["images"]) == {"mlflow", "postgres"}


@pytest.mark.parametrize("tool", ["podman", "buildah"])
def test_other_tools_push_a_list_of_all_platforms(tool: str, world: World) -> None:
    world.install(tool)
    assert make(world, "--tool", tool, "--platform", "linux/amd64,linux/arm64", "postgres") == 0
    removed, build, push = [call for call in world.calls() if call.startswith(tool)][-3:]
    assert removed.startswith(f"{tool} manifest rm localhost/ml/postgres:")
    assert "--platform linux/amd64,linux/arm64" in build
    assert push.startswith(f"{tool} manifest push --all")
    assert "--tls-verify=false" in push, "as on loopback"


def test_where_no_tool_works_each_says_why(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / "bin/docker").write_text("#!/bin/sh\necho 'no daemon' >&2\nexit 1\n")
    assert make(world, "postgres") == 1
    printed = capsys.readouterr().out
    assert "docker: `docker buildx version` failed: no daemon" in printed
    assert "podman: not on PATH" in printed


def test_builds_read_the_files_that_are_given_and_apt_and_pip_use_the_authority(world: World, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    assert make(world, "--secret", f"ca={authority}", "postgres") == 0
    (call,) = (call for call in world.calls() if "--tag" in call)
    assert f"--secret id=ca,src={authority}" in call
    assert "--secret id=apt,src=" in call
    assert "--secret id=pip,src=" in call


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "REGISTRY is missing"),
        (["--registry", "https://registry.example.com"], "without https://"),
        (["--registry", "Registry.example.com/ML"], "lower case"),
        (["--registry", "mlflow"], "as in REGISTRY=registry.example.com/ml"),
        (["--registry", "r.test", "--platform", "arm64"], "PLATFORM has 'arm64'"),
        (["--registry", "r.test", "--platform", ","], "PLATFORM has ','"),
        (["--registry", "r.test", "--secret", "key=x"], "names are apt, pip, ca"),
        (["--registry", "r.test", "--secret", "ca=/nowhere"], "/nowhere, which is no file"),
        (["--registry", "r.test", "--stack", "mine"], "there are eks, eks-cluster, existing, gke"),
        (
            ["--registry", "r.test", "--stack", "gke-cluster"],
            "has no ml-platform:platform, so nothing of its stack runs",
        ),
        (["--registry", "r.test", "nginx"], "there is no image nginx; there are base"),
        (["--registry", "127.0.0.1:1", "--tool", "kaniko", "postgres"], "one of docker, podman, buildah"),
    ],
)
def test_what_can_not_be_is_refused_with_what_can(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    assert said in capsys.readouterr().out
