"""The commands for people and for CI: what they print, where, and with which exit code."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ml_platform.bundles import __main__ as commands
from ml_platform.bundles import cache, catalog, pipeline, source
from ml_platform.bundles.catalog import Entry, FileSource, GitSource, ManifestSource, Part
from ml_platform.bundles.errors import BundleError, UnobtainableError
from ml_platform.bundles.parse import parse, unparse
from ml_platform.bundles.render import manifest

pytestmark = pytest.mark.unit

releases = catalog.releases

TEXT = """\
apiVersion: batch/v1
kind: Job
metadata: {name: hook, annotations: {helm.sh/hook: post-install}}
---
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec: {containers: [{image: "a/server", args: ["--of=ghcr.io/a/tool:1"]}]}
"""


@pytest.fixture(autouse=True)
def few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of two bundles: `here` is a file, `far` is out of reach, but in the mirror that is given back."""
    (tmp_path / "here.yaml").write_text(TEXT)
    far = GitSource(kind="git", repository="git.invalid/a", ref="v2", commit="c" * 40, path="p", render="files")
    here = FileSource(kind="file", path=str(tmp_path / "here.yaml"))
    entries = {"here": (entry("here", "1", here), entry("here", "0", here)), "far": (entry("far", "2", far, ["here"]),)}
    monkeypatch.setattr(catalog, "releases", lambda: entries)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "renderings"))
    monkeypatch.delenv(source.MIRROR, raising=False)
    monkeypatch.setattr(source, "render", unreachable)
    (tmp_path / "mirror" / "far").mkdir(parents=True)
    (tmp_path / "mirror" / "far" / "2.yaml").write_text(TEXT)
    return tmp_path / "mirror"


def unreachable(*_: object) -> str:
    raise UnobtainableError("Fetching failed")


def entry(name: str, version: str, where: Any, needs: list[str] | None = None) -> Entry:
    part = Part(name=name, version=version, sha256=hashlib.sha256(TEXT.encode()).hexdigest(), source=where)
    return Entry(
        name=name, version=version, licence="MIT", namespace=name, kubernetes=">=1.32,<1.38", parts=(part,),
        needs=tuple(needs or []),
    )  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = commands.main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_shows_every_release_with_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["BUNDLE", "VERSION", "LICENCE", "KUBERNETES", "NEEDS", "EXCLUDES", "SOURCE"]
    assert [line[:6] for line in lines[1:]] == [
        ["here", "1", "MIT", ">=1.32,<1.38", "-", "-"],
        ["here", "0", "MIT", ">=1.32,<1.38", "-", "-"],
        ["far", "2", "MIT", ">=1.32,<1.38", "here", "-"],
    ]
    assert "https://git.invalid/a at v2" in out
    assert "here 1 leaves out Job here/hook: Helm hook post-install" in err


def test_list_for_machines_knows_only_what_is_at_hand(few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hook = {"Job far/hook": "Helm hook post-install"}
    assert json.loads(run(capsys, "list", "--json")[1])[2]["left_out"] is None
    assert json.loads(run(capsys, "--mirror", few, "list", "--json")[1])[2]["left_out"] == hook


def test_verify_goes_on_after_a_failure_and_then_fails(few: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "verify", "far", "here@0")
    assert code == 1
    assert "no  Bundle far 2: part far 2 is not in the cache" in out
    assert "ok  here 0: here 0" in out
    assert "error: 1 of 2 parts failed" in err
    assert run(capsys, "--mirror", few, "verify")[0] == 0


def test_verify_says_which_asset_has_no_recorded_digest_until_it_is_locked(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asset = entry("asset", "1", ManifestSource(kind="manifest", url="https://host.invalid/a.yaml"))
    monkeypatch.setattr(catalog, "releases", lambda: {"asset": (asset,)})
    monkeypatch.setattr(manifest, "LOCK", tmp_path / "lock.json")
    monkeypatch.setattr(manifest, "fetch", lambda _: TEXT.encode())
    monkeypatch.setattr(source, "render", lambda _, part: manifest.download(part, part.source))
    assert "no digest of the asset is recorded" in run(capsys, "verify")[1]
    assert run(capsys, "lock")[1] == "recorded  asset@1  https://host.invalid/a.yaml\n"
    assert "no digest of the asset is recorded" not in run(capsys, "verify")[1]
    assert run(capsys, "lock")[1] == "every release asset in the catalog has its digest\n"


def test_render_gives_the_objects_and_says_what_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "render", "here")
    assert code == 0
    assert [item["kind"] for item in yaml.safe_load_all(out)] == ["Namespace", "Pod"]
    assert parse(out) == pipeline.load(catalog.entry("here"))
    assert err == "left out: Job here/hook (Helm hook post-install)\n"


@pytest.mark.parametrize(
    "value", ["=", "2026-11-21", "8080:59", "1e+06", "0644", "yes", "a\nb\n", "a\n b", "", " x", "é"]
)
def test_what_is_rendered_reads_back_as_it_was(value: str) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"key": value}}
    text = unparse([item])
    assert parse(text) == [item]
    assert yaml.safe_load(text) == item, "other readers take it for the same"


def test_images_are_listed_for_people_and_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "images", "here")[1] == "a/server  (unpinned)\nghcr.io/a/tool:1  (run time only)\n"
    rows = json.loads(run(capsys, "images", "--json", "here", "here@0")[1])
    assert [(row["image"], row["pinned"], row["bundles"]) for row in rows] == [
        ("a/server", False, ["here 0", "here 1"]), ("ghcr.io/a/tool:1", True, ["here 0", "here 1"]),
    ]  # fmt: skip


def test_mirror_writes_what_mirror_reads(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--mirror", few, "mirror", tmp_path / "new")
    assert code == 0
    assert "is in this repository" not in out.splitlines()[-1]
    assert [path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.yaml")] == [
        "far/2.yaml"
    ]
    assert run(capsys, "--mirror", tmp_path / "new", "verify", "far")[0] == 0


def test_a_folder_that_can_not_be_written_is_named(
    few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    code, out, _ = run(capsys, "--mirror", few, "mirror", tmp_path / "file", "far")
    assert code == 1
    assert f"{tmp_path}/file/far/2.yaml can't be written" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["render", "none"], "error: There is no bundle 'none'; the catalog has: far, here."),
        (["render", "here@7"], "no version '7' of bundle 'here'; choose one of: 1, 0."),
        (["images", "far"], "python -m ml_platform.bundles mirror DIR far@2"),
    ],
)
def test_a_mistake_ends_with_a_message_and_1(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")
    assert message in err


@pytest.mark.parametrize(("what", "code"), [(KeyboardInterrupt, 130), (BrokenPipeError, 0), (BundleError, 1)])
def test_however_it_ends_there_is_no_traceback(
    what: type[BaseException], code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> Any:
        raise what

    monkeypatch.setattr(commands.pipeline, "read", fail)
    monkeypatch.setattr(commands.os, "dup2", lambda *_: None)
    assert commands.main(["render", "here"]) == code
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("text", ["[[a]]\nx = 1\n", "["])
def test_a_catalog_with_a_mistake_names_its_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(BundleError, match=r"wrong\.toml is no part of a catalog"):
        releases(tmp_path)
