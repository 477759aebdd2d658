"""Images: their table, their keys, the mirrors they come from, what a failed build says, the layout that keeps them."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_local import debian_packages, image_builder, images, layers
from ml_local.errors import LocalError
from ml_local.oci_layout import NAME, Layout
from ml_workloads.packages import Layer, Packages

CONTAINERFILES = {path.name.partition(".")[2]: path for path in images.workloads().glob("images/Containerfile.*")}
LAYER = CONTAINERFILES.pop(layers.CONTAINERFILE)


def test_each_containerfile_has_an_entry_and_each_entry_a_containerfile() -> None:
    assert set(CONTAINERFILES) == set(images.table())
    assert layers.CONTAINERFILE not in images.table()


def test_each_base_stands_before_what_is_built_on_it() -> None:
    order = [images.DEBIAN, *images.table()]
    assert [
        name for name, image in images.table().items() if image.base not in (None, *order[: order.index(name)])
    ] == []


@pytest.mark.parametrize(
    ("names", "whole"),
    [
        (["spark-operator"], ["base", "spark", "spark-operator"]),
        (["mlserver", "pause"], ["base", "ml", "mlserver", "pause"]),
        (["istio-pilot", "istio-proxy"], ["base", "envoy", "istio-proxy", "istio-pilot"]),
    ],
)
def test_an_image_comes_with_its_bases_and_after_them(names: list[str], whole: list[str]) -> None:
    assert list(images.with_bases(names)) == whole


@pytest.mark.parametrize("name", sorted(CONTAINERFILES))
def test_a_containerfile_takes_its_base_as_an_argument_and_copies_what_is_listed(name: str) -> None:
    image, text = images.table()[name], CONTAINERFILES[name].read_text()
    assert bool(image.base) == ("FROM ${BASE}" in text)
    source = "--from=commands " if image.command else "(?!--from)"
    copied = {word for line in re.findall(rf"^COPY {source}(.*)$", text, re.MULTILINE) for word in line.split()[:-1]}
    assert copied == {*image.files, image.command} - {None}


RUNTIME = "ml_runtime"
OF_OURS = [name for name, image in images.table().items() if any(file.startswith(RUNTIME) for file in image.files)]


@pytest.mark.parametrize("name", OF_OURS)
def test_an_image_has_all_modules_of_ours_that_those_in_it_import(name: str) -> None:
    there = {path for path in images.table()[name].copied() if path.startswith(f"{RUNTIME}/") and path.endswith(".py")}
    ours = {path.relative_to(images.workloads()).as_posix() for path in images.workloads().glob(f"{RUNTIME}/*.py")}
    wanted = {path for each in there for path in _imported((images.workloads() / each).read_text())} & ours
    assert sorted(wanted - there) == []


def _imported(text: str) -> Iterator[str]:
    """The modules of ours that a source imports at some time when it runs, as paths."""
    nodes = [*ast.walk(ast.parse(text))]
    typed = {each for node in nodes if _is_for_types(node) for each in ast.walk(node)}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node not in typed and node.module:
            if node.module == RUNTIME:
                yield from (f"{RUNTIME}/{each.name}.py" for each in node.names)
            elif node.module.startswith(f"{RUNTIME}."):
                yield f"{node.module.replace('.', '/')}.py"


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("name", sorted(set(CONTAINERFILES) - {"base", "ml", "ray"}))
def test_no_image_runs_as_root(name: str) -> None:
    *_, user = re.findall(r"^USER (.*)$", CONTAINERFILES[name].read_text(), re.MULTILINE)
    known = {"spark": "185:185", "envoy": "1337:1337", "istio": "1337:1337"}
    assert user == known.get(name.partition("-")[0], "65532:65532")


def test_a_layer_has_the_lists_of_its_packages_and_ends_as_it_began_with_another_user_than_root() -> None:
    text = LAYER.read_text()
    assert f"COPY {layers.REQUIREMENTS} {layers.DEBIAN} {' '.join(layers.FILES)} /opt/build/\n" in text
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["root", "65532:65532"]
    assert "--require-hashes --only-binary :all:" in text


@pytest.mark.parametrize("path", [*CONTAINERFILES.values(), LAYER], ids=lambda path: path.name)
def test_whoever_makes_a_user_does_not_note_the_day(path: Path) -> None:
    before, makes, _ = path.read_text().partition("useradd")
    assert not makes or "\nARG SOURCE_DATE_EPOCH\n" in before.rpartition("\nFROM ")[2]


def test_a_build_has_the_files_that_it_copies_whatever_the_umask_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"folder/main.py": 0o640, "run": 0o700}
    for name, mode in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode)
    (tmp_path / "checkout/another").touch()
    seen: dict[str, int] = {}

    def run(_: image_builder.Builder, words: list[str], *__: object, **___: object) -> str:
        if "build" in words:
            context = Path(words[-1])
            seen.update({str(each.relative_to(context)): each.stat().st_mode & 0o777 for each in context.rglob("*")})
        return ""

    monkeypatch.setattr(image_builder.Builder, "_run", run)
    (tmp_path / "Containerfile").write_text("FROM scratch\n")
    copied = {name: tmp_path / "checkout" / name for name in files}
    image_builder.Builder(tmp_path / "images").containerfile("some:1", tmp_path / "Containerfile", copied)
    assert seen == {"folder": 0o755, "folder/main.py": 0o644, "run": 0o755}


@pytest.mark.parametrize(
    "path", sorted(images.workloads().glob("images/requirements/*.txt")), ids=lambda path: path.name
)
def test_each_python_package_is_pinned_with_hashes(path: Path) -> None:
    packages = re.findall(
        r"^([a-z0-9][^ \\\n]*)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", path.read_text(), re.MULTILINE
    )
    assert all("==" in name for name, _ in packages)
    asked = re.findall(r"^[a-z].*==", path.with_suffix(".in").read_text(), re.MULTILINE)
    assert len(re.findall(r"^\S", path.read_text(), re.MULTILINE)) == len(packages) >= len(asked) > 0


def test_each_jar_of_spark_is_pinned_by_its_hash_alone() -> None:
    lines = (images.workloads() / "images/spark/jars.sha256").read_text().splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  [\w.-]+\.jar", line) for line in lines)
    versions = re.findall(r"<version>([\d.]+)</version>", (images.workloads() / "images/spark/pom.xml").read_text())
    assert {f"hadoop-aws-{versions[2]}.jar", f"s3-{versions[1]}.jar"} < {line.split()[1] for line in lines}


def test_a_changed_file_changes_the_key_of_an_image_and_of_those_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {name: images.reference(name) for name, image in images.table().items() if not image.command}
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: real(path) + b"#" * (path.name == "ml.txt"))
    changed = {name for name, key in before.items() if images.reference(name) != key}
    assert {"ml", "mlflow", "training", "monitor", "pipeline", "mlserver", "ray", "tuning"} == changed


def test_an_update_of_a_debian_package_is_another_image_for_whatever_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    names = ["debian", *(name for name, image in images.table().items() if not image.command)]

    def changed(**installed: tuple[str, ...]) -> set[str]:
        before = {name: images.reference(name) for name in names}
        packages = {**debian_packages.in_use().images, **installed}
        debian_packages.Packages(images=packages).write()
        return {name for name, key in before.items() if images.reference(name) != key}

    assert changed(debian=("libc6=1",), postgres=("postgresql-15=1",)) == set(names)
    assert changed(postgres=("postgresql-15=2",)) == {"postgres"}
    assert changed(debian=("libc6=2",)) == set(names)
    assert changed() == set()


def kept(**chosen: tuple[str, ...]) -> str:
    """The name of a layer on training, whose lists are kept."""
    packages = Packages(**chosen)
    layers.keep({packages.image("training"): Layer(base="training", packages=packages)})
    return packages.image("training")


def test_a_layer_comes_after_its_base_and_is_another_one_where_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    name = kept(requirements=("einops==0.8.1 --hash=sha256:1",))
    assert list(images.with_bases([name, "pause"])) == ["base", "ml", "training", "pause", name]
    image = images.with_bases([name])[name]
    assert (image.containerfile, image.fetches) == (LAYER, True)
    lists = {path: file.read_text() for path, file in image.copied().items() if path not in layers.FILES}
    assert lists == {layers.REQUIREMENTS: "einops==0.8.1 --hash=sha256:1\n", layers.DEBIAN: ""}
    before = images.reference(name)
    debian_packages.Packages(asked="2026-11-30").write()
    assert images.reference(name) == before
    debian_packages.Packages(asked="2026-11-30", images={"debian": ("libc6=2",)}).write()
    assert images.reference(name) != before


def test_debian_packages_of_a_layer_are_those_of_the_day_on_which_they_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    name = kept(debian=("python3-torch",))
    before = images.reference(name)
    debian_packages.Packages(asked="2026-11-30").write()
    assert images.reference(name) != before


def test_an_unknown_image_names_those_there_are() -> None:
    with pytest.raises(LocalError, match=r"no image 'nginx'; there are base"):
        images.reference("nginx")


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ERROR: No matching distribution found for mlflow==3.99", ["mlflow==3.99", "pip download"]),
        (
            "WARNING: Retrying (Retry(total=0, connect=None\nERROR: No matching distribution found for einops==0.8",
            ["does not answer", "einops==0.8", "pip config list"],
        ),
        (
            "ERROR: HTTP error 403 while getting https://registry/scipy.whl",
            ["refused https://registry/scipy.whl (403)"],
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM\n    numpy==2 from https://x",
            ["numpy==2", "another hash", "--generate-hashes"],
        ),
        ("E: Unable to locate package postgresql-15", ["no package postgresql-15", "sources.list"]),
        ("E: Failed to fetch http://mirror/x.deb  404", ["http://mirror/x.deb", "make up"]),
        ("write /x: no space left on device", ["the disk is full", "ML_PLATFORM_CACHE=DIR"]),
        ("Collecting mlflow==3\nCollecting scipy==1\nKilled", ["ended at the Python package scipy==1"]),
        ("something else", ["last lines"]),
    ],
)
def test_a_failed_build_names_the_package_and_the_way_out(output: str, words: list[str]) -> None:
    for word in words:
        assert word in image_builder.explain(output)


def written(layout: Layout, content: object) -> dict[str, object]:
    data = json.dumps(content).encode()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    layout.blob(digest).parent.mkdir(parents=True, exist_ok=True)
    layout.blob(digest).write_bytes(data)
    return {"digest": digest, "size": len(data)}


def test_an_export_lists_the_layers_of_its_base_and_leaves_no_empty_file(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    config = written(layout, {"rootfs": {"diff_ids": ["sha256:plain"]}})
    base = written(layout, {"config": config, "layers": [{"digest": "sha256:packed"}]})
    with layout.export("child-1", str(base["digest"])):
        assert layout.blob("sha256:plain").exists()
        child = written(layout, {"layers": [{"digest": "sha256:plain"}, {"digest": "sha256:own"}], "annotations": {}})
        (tmp_path / "index.json").write_text(json.dumps({"manifests": [{**child, "annotations": {NAME: "child-1"}}]}))
    digest = layout.find("child-1")
    assert digest not in (None, child["digest"])
    manifest = json.loads(layout.blob(digest or "").read_text())
    assert [layer["digest"] for layer in manifest["layers"]] == ["sha256:packed", "sha256:own"]
    assert not layout.blob("sha256:plain").exists()


def test_an_image_is_taken_from_another_layout_with_its_blobs_beside_what_is_there(tmp_path: Path) -> None:
    layout, other = Layout(tmp_path / "one"), Layout(tmp_path / "other")
    manifests = []
    for each, name in ((layout, "here"), (other, "there")):
        config, layer = written(each, {"of": name}), written(each, f"layer of {name}")
        manifests.append(written(each, {"config": config, "layers": [layer]}))
        index = {"manifests": [{**manifests[-1], "annotations": {NAME: name}}]}
        (each.folder / "index.json").write_text(json.dumps(index))
    layout.take(other, "there")
    assert [layout.find(name) for name in ("here", "there")] == [each["digest"] for each in manifests]
    files = {path.name: path.read_bytes() for path in (other.folder / "blobs").glob("*/*")}
    assert len(files) == 3
    assert files.items() <= {path.name: path.read_bytes() for path in (layout.folder / "blobs").glob("*/*")}.items()


def test_what_a_killed_export_left_is_mended(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.blob("sha256:empty").parent.mkdir(parents=True)
    layout.blob("sha256:empty").touch()
    (tmp_path / "index.json").write_text('{"manifests": [')
    with layout.export("base-1", None):
        pass
    assert layout.find("base-1") is None
    assert not layout.blob("sha256:empty").exists()


def test_a_forgotten_image_takes_along_only_the_blobs_that_no_other_has(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    manifests = []
    for name in ("kept", "old"):
        layers = [written(layout, "shared"), written(layout, f"layer of {name}")]
        manifest = written(layout, {"config": written(layout, {"of": name}), "layers": layers})
        manifests.append({**manifest, "annotations": {NAME: name}})
    (tmp_path / "index.json").write_text(json.dumps({"manifests": manifests}))
    layout.drop(["old"])
    assert layout.find("old") is None
    left = {path.read_text() for path in (tmp_path / "blobs").glob("*/*")}
    assert {'"shared"', '"layer of kept"', '{"of": "kept"}'} < left
    assert len(left) == 4
