"""Where the text of a part comes from, in which order, and what is said when it is missing or not the recorded one."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ml_platform.bundles import cache, pipeline, source
from ml_platform.bundles.catalog import Edit, Entry, FileSource, GitSource, ManifestSource, Part
from ml_platform.bundles.errors import BundleError, UnobtainableError
from ml_platform.bundles.render import joined, manifest
from ml_platform.bundles.render.edits import edited

pytestmark = pytest.mark.unit

TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
GIT = GitSource(
    kind="git", repository="git.invalid/a/b", ref="v1", commit="c" * 40, path="deploy/all.yaml", render="files"
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry(where: Any = GIT, text: str = TEXT, **fields: Any) -> Entry:
    part = Part(name="thing-crds", version="v1", sha256=digest(text), source=where)
    known = {"licence": "Apache-2.0", "namespace": "home", "kubernetes": ">=1.32,<1.38", "parts": [part]}
    return Entry(name="thing", version="1", **{**known, **fields})


@pytest.fixture(autouse=True)
def renderings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "renderings"))
    monkeypatch.delenv(source.MIRROR, raising=False)
    return tmp_path / "renderings"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was rendered from its source, which gives TEXT."""
    asked: list[str] = []

    def render(_: Entry, part: Part) -> str:
        asked.append(part.name)
        return TEXT

    monkeypatch.setattr(source, "render", render)
    return asked


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def render(*_: object) -> str:
        raise UnobtainableError("Fetching https://git.invalid/a/b at v1 failed:\n  no such host")

    monkeypatch.setattr(source, "render", render)


def mirror(folder: Path, text: str = TEXT, version: str = "v1") -> Path:
    path = folder / "mirror" / "thing-crds" / f"{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder / "mirror"


def resolve(each: Entry, *where: Path) -> source.Rendering:
    return source.resolve(each, each.parts[0], *where)


def test_the_mirror_comes_before_the_network(tmp_path: Path, network: list[str]) -> None:
    assert resolve(entry(), mirror(tmp_path)).text == TEXT
    assert not network


def test_the_environment_names_the_usual_mirror(
    tmp_path: Path, network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(source.MIRROR, str(mirror(tmp_path)))
    assert str(tmp_path / "mirror") in resolve(entry()).origin
    (tmp_path / "other").mkdir()
    assert "https://git.invalid" in resolve(entry(), tmp_path / "other").origin, "the setting wins"


def test_what_was_rendered_once_is_in_the_cache(network: list[str]) -> None:
    assert [resolve(entry()).text, resolve(entry()).text] == [TEXT, TEXT]
    assert network == ["thing-crds"]


def test_a_damaged_cache_is_made_again(renderings: Path, network: list[str]) -> None:
    pipeline.load(entry())
    for path in renderings.iterdir():
        path.write_text("{")
    assert pipeline.load(entry())[1]["metadata"]["name"] == "c"
    assert network == ["thing-crds"] * 2
    assert {path.read_text()[:12] for path in renderings.iterdir()} == {TEXT[:12], '{"objects": '}


def test_a_cache_that_can_not_be_written_only_costs_time(
    network: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file" / "below"))
    assert pipeline.load(entry())
    assert pipeline.load(entry())
    assert len(network) == 2


def test_no_caller_sees_what_another_did_to_the_objects(network: list[str]) -> None:
    pipeline.load(entry())[1]["metadata"]["name"] = "mine"
    assert pipeline.load(entry())[1]["metadata"]["name"] == "c"


def test_a_parse_of_another_version_of_the_parser_is_not_used(renderings: Path, network: list[str]) -> None:
    stale = renderings / f"{digest(TEXT)}.0.json"
    stale.parent.mkdir()
    stale.write_text(json.dumps({"objects": []}))
    assert [item["kind"] for item in pipeline.load(entry())] == ["Namespace", "ConfigMap"]


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("mirror", "damaged or of another release(.|\n)*bundles mirror DIR thing@1"),
        ("source", "the tools render otherwise"),
        ("file", "record the new digest in the catalog"),
    ],
)
def test_another_digest_is_refused_with_both_the_source_and_the_way_out(
    where: str, advice: str, tmp_path: Path, network: list[str]
) -> None:
    given = entry(FileSource(kind="file", path="here.yaml") if where == "file" else GIT, text="other\n")
    (tmp_path / "here.yaml").write_text(TEXT)
    origin = {"mirror": "mirror/thing-crds/v1.yaml", "source": "https://git.invalid/a/b", "file": "here.yaml"}[where]
    with pytest.raises(BundleError, match=advice) as caught:
        resolve(given, *([mirror(tmp_path)] if where == "mirror" else [tmp_path / "none", tmp_path]))
    message = str(caught.value)
    assert all(part in message for part in (digest(TEXT), digest("other\n"), "thing 1", "thing-crds v1", origin))


def test_a_mirror_that_lacks_a_bundle_says_what_is_missing_and_how_to_get_it(tmp_path: Path, offline: None) -> None:
    with pytest.raises(BundleError) as caught:
        resolve(entry(), mirror(tmp_path, version="v0"))
    message = str(caught.value)
    assert f"{tmp_path}/mirror/thing-crds/v1.yaml is missing (it has thing-crds v0)" in message
    assert "no such host" in message
    assert "python -m ml_platform.bundles mirror DIR thing@1" in message


@pytest.mark.parametrize("given", [True, False])
def test_without_a_network_the_message_says_what_would_have_been_fetched(
    given: bool, tmp_path: Path, offline: None
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError) as caught:
        resolve(entry(), *([tmp_path / "empty"] if given else []))
    message = str(caught.value)
    assert "https://git.invalid/a/b at v1" in message
    assert "ML_PLATFORM_MIRROR=DIR" in message
    assert ("it has no thing-crds at all" in message) is given
    assert ("no mirror is set" in message) is not given


def test_an_error_in_a_rendering_names_its_bundle(network: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "render", lambda *_: "a: [")
    with pytest.raises(BundleError, match="Bundle thing 1: the rendering is not YAML"):
        pipeline.load(entry(text="a: ["))


def test_a_bundle_brings_its_namespace_unless_one_that_it_needs_does(
    network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = entry(namespace="home").model_copy(update={"name": "base"})
    monkeypatch.setattr(pipeline.catalog, "entry", lambda _: needed)
    kinds = [[item["kind"] for item in pipeline.load(entry(needs=needs))] for needs in ([], ["base"])]
    assert kinds == [["Namespace", "ConfigMap"], ["ConfigMap"]]


def test_a_bundle_of_which_nothing_lives_in_a_namespace_brings_none(network: list[str]) -> None:
    part = entry().parts[0].model_copy(update={"namespace": "elsewhere"})
    assert [item["kind"] for item in pipeline.load(entry().model_copy(update={"parts": (part,)}))] == ["ConfigMap"]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"drop": "Secret"}, "kind: A # Secret\nx: {kind: Secret}\n---\nkind: B\n"),
        ({"replace": (": A", ": C")}, "kind: C # Secret\nx: {kind: Secret}\n---\nkind: Secret\n---\nkind: B\n"),
    ],
)
def test_an_edit_changes_only_what_it_says(edit: dict[str, Any], expected: str) -> None:
    text = "kind: A # Secret\nx: {kind: Secret}\n---\nkind: Secret\n---\nkind: B\n"
    assert edited(text, [Edit(why="a test", **edit)]) == expected


def test_an_edit_that_changes_nothing_is_an_error() -> None:
    with pytest.raises(BundleError, match=r"The edit Pod \(a test\) changes nothing"):
        edited(TEXT, [Edit(drop="Pod", why="a test")])


def test_the_files_of_a_folder_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, text in {"b.yaml": "b: 1\r\n", "a.yaml": "a: 1", "c.txt": "no"}.items():
        (tmp_path / name).write_bytes(text.encode())
    assert joined(tmp_path) == "a: 1\n---\nb: 1\r\n"


@pytest.mark.parametrize(
    ("name", "message"), [("none.yaml", "none.yaml can't be read"), ("", r"holds no \*.yaml file")]
)
def test_a_file_that_is_not_there_is_named(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=message):
        joined(tmp_path / name)


@pytest.fixture
def asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    """A release asset that holds TEXT, with a lock that is empty."""
    monkeypatch.setattr(manifest, "LOCK", tmp_path / "lock.json")
    monkeypatch.setattr(manifest, "fetch", lambda _: TEXT.encode())
    where = ManifestSource(kind="manifest", url="https://host.invalid/release.yaml")
    return entry(where).parts[0]


def test_the_first_download_is_recorded_and_a_replaced_asset_is_refused(asset: Part, caplog: Any) -> None:
    assert isinstance(asset.source, ManifestSource)
    assert manifest.recorded(asset, asset.source) is None
    assert manifest.download(asset, asset.source) == TEXT
    assert "no digest is recorded for https://host.invalid/release.yaml" in caplog.text
    manifest.record({manifest.key(asset): digest("before\n")})
    manifest.record({manifest.key(asset): digest(TEXT), "other@1": digest("")})
    assert manifest.locked() == {"thing-crds@v1": digest("before\n"), "other@1": digest("")}, "what is locked stays"
    with pytest.raises(BundleError, match=f"(?s)release.yaml has sha256.*{digest(TEXT)}.*{digest('before' + chr(10))}"):
        manifest.download(asset, asset.source)
