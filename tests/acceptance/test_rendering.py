"""Sources rendered for real: a chart and a kustomization out of a git repository, by commit, with Helm and kubectl."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_local import toolchains
from ml_platform.bundles import cache, catalog, pipeline, source
from ml_platform.bundles.__main__ import main
from ml_platform.bundles.catalog import ChartSource, Entry, GitSource, Part
from ml_platform.bundles.errors import BundleError

pytestmark = pytest.mark.acceptance

REPOSITORY = "git.test/owner/project"

FILES = {
    "charts/thing/Chart.yaml": "apiVersion: v2\nname: thing\nversion: 0.0.0\n",
    "charts/thing/values.yaml": "size: 1\n",
    "charts/thing/crds/kind.yaml": "kind: CustomResourceDefinition\n",
    "charts/thing/templates/config.yaml": """\
kind: ConfigMap
name: {{ .Release.Name }}.{{ .Release.Namespace }}
chart: {{ .Chart.Version }} {{ .Chart.AppVersion }}
cluster: {{ .Capabilities.KubeVersion }} {{ .Capabilities.APIVersions.Has "x.io/v1" }}
values: {{ .Values.size }} {{ kindOf .Values.size }} {{ kindOf .Values.name }}
""",
    "charts/thing/templates/hook.yaml": 'kind: Job\nmetadata: {annotations: {"helm.sh/hook": post-install}}\n',
    "config/base/kustomization.yaml": "resources: [one.yaml]\n",
    "config/base/one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n",
    "config/default/kustomization.yaml": "namePrefix: the-\nresources: [../base]\n",
    "config/networked/kustomization.yaml": "resources: [https://host.invalid/v1/one.yaml]\n",
    "release/b.yaml": "b: 1\n",
    "release/a.yaml": "a: 1",
    "docs/large.txt": "nobody needs this\n",
}

CHART = """\
---
# Source: thing/crds/kind.yaml
kind: CustomResourceDefinition

---
# Source: thing/templates/config.yaml
kind: ConfigMap
name: release.home
chart: 1.2.0 v1.2.0
cluster: v1.35.0 true
values: 2 float64 string
---
# Source: thing/templates/hook.yaml
kind: Job
metadata: {annotations: {"helm.sh/hook": post-install}}
"""
KUSTOMIZED = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: the-one\n"
JOINED = "a: 1\n---\nb: 1\n"

AS_CHART = {
    "path": "charts/thing", "render": "helm", "release": "release", "values": {"size": 2, "name": "2"},
    "chart_version": "1.2.0", "app_version": "v1.2.0",
}  # fmt: skip


def digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


@pytest.fixture(scope="module")
def tools() -> str:
    """A PATH with Helm, kubectl and git."""
    for toolchain in toolchains.toolchains():
        if toolchain.name == "helm":
            toolchains.build(toolchain)
    return ":".join([*(str(toolchains.binary(name).parent) for name in ("helm", "kubectl")), os.environ["PATH"]])


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "--quiet")
    git(folder, "config", "uploadpack.allowFilter", "true")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit(folder)
    return folder


@pytest.fixture(autouse=True)
def reachable(tmp_path: Path, repository: Path, tools: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The repository under its public address, an empty cache, no mirror."""
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[url "file://{repository}"]\n  insteadOf = https://{REPOSITORY}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("PATH", tools)
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "renderings"))
    monkeypatch.delenv(source.MIRROR, raising=False)
    before = set(Path("/tmp").glob("ml-platform-*"))
    yield
    assert set(Path("/tmp").glob("ml-platform-*")) <= before, "what was fetched is left behind"


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@test"]
    command = ["git", "-C", folder, *identity, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a release")
    return git(folder, "rev-parse", "HEAD")


def entry(repository: Path, text: str, **fields: Any) -> Entry:
    at = {"kind": "git", "repository": REPOSITORY, "ref": "v1", "commit": git(repository, "rev-parse", "HEAD")}
    return bundle(GitSource.model_validate({**at, **fields}), text)


def bundle(where: GitSource | ChartSource, text: str) -> Entry:
    part = Part(name="thing", version="v1", sha256=digest(text), source=where)
    return Entry(
        name="thing", version="1", licence="MIT", namespace="home", kubernetes=">=1.32,<1.38", parts=(part,),
        kube_version="1.35.0", api_versions=("x.io/v1",),
    )  # fmt: skip


def resolve(each: Entry, mirror: Path | None = None) -> source.Rendering:
    return source.resolve(each, each.parts[0], mirror)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (AS_CHART, CHART),
        ({"path": "config/default", "render": "kustomize"}, KUSTOMIZED),
        ({"path": "release", "render": "files"}, JOINED),
        ({"path": "release/b.yaml", "render": "files"}, "b: 1\n"),
    ],
    ids=["chart", "kustomization", "folder", "file"],
)
def test_a_source_renders_as_recorded_and_then_needs_nothing_any_more(
    fields: dict[str, Any], text: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = entry(repository, text, **fields)
    assert resolve(given).text == text
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resolve(given).origin.startswith("the cache")


def test_what_a_kustomization_would_fetch_is_made_of_a_commit(repository: Path) -> None:
    source = entry(repository, "", path="config/default", render="kustomize").parts[0].source
    fetched = {"url": "https://host.invalid/v1/one.yaml", "by": "config/networked", "source": source}
    networked: dict[str, Any] = {"path": "config/networked", "render": "kustomize"}
    assert resolve(entry(repository, KUSTOMIZED, **networked, fetched=[fetched])).text == KUSTOMIZED
    other = {**fetched, "url": "https://host.invalid/v2/one.yaml"}
    with pytest.raises(BundleError, match=r"networked names no https://host\.invalid/v2/one\.yaml: mend `fetched`"):
        resolve(entry(repository, "another", **networked, fetched=[other]))


def test_a_rendering_that_is_not_the_recorded_one_is_refused(repository: Path) -> None:
    given = entry(repository, CHART, **{**AS_CHART, "values": {"size": 3, "name": "2"}})
    with pytest.raises(BundleError, match=rf"https://{REPOSITORY} at v1(.|\n)*{digest(CHART)}(.|\n)*helm version"):
        resolve(given)
    assert not any(cache.folder().glob("*")), "nothing wrong is kept"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"commit": "0" * 40, "path": "release", "render": "files"}, f"Fetching https://{REPOSITORY} at v1.* failed"),
        ({"path": "none", "render": "files"}, "none does not exist in that commit"),
        ({"path": "docs", "render": "kustomize"}, "Building the kustomization docs failed"),
        ({"path": "docs", "render": "helm"}, "Rendering chart docs failed"),
    ],
)  # fmt: skip
def test_what_can_not_be_rendered_is_named(fields: dict[str, Any], message: str, repository: Path) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        resolve(entry(repository, JOINED, **fields))
    network = "commit" in fields or fields["render"] == "kustomize"
    assert ("bundles mirror DIR thing@1" in str(caught.value)) is network, "the way out is for where a network helps"


@pytest.mark.parametrize(
    ("fields", "command"), [(AS_CHART, "helm"), ({"path": "config", "render": "kustomize"}, "kustomize or kubectl")]
)
def test_a_missing_tool_is_said_before_anything_is_fetched(
    fields: dict[str, Any], command: str, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = entry(repository, CHART, **fields)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BundleError, match=f"The command {command} is missing") as caught:
        resolve(given)
    assert f"https://{REPOSITORY} at v1" in str(caught.value)


def test_a_moved_tag_changes_nothing_and_a_tampered_mirror_is_refused(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = entry(repository, KUSTOMIZED, path="config/default", render="kustomize")
    monkeypatch.setattr(catalog, "releases", lambda: {"thing": (given,)})
    (repository / "config/base/one.yaml").write_text(FILES["config/base/one.yaml"].replace("one", "evil"))
    commit(repository)
    mirror = tmp_path / "mirror"
    assert main(["mirror", str(mirror), "thing"]) == 0
    assert (mirror / "thing/v1.yaml").read_text() == KUSTOMIZED

    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--mirror", str(mirror), "render", "thing"]) == 0
    assert [item["metadata"]["name"] for item in pipeline.load(given, mirror)] == ["home", "the-one"]
    (mirror / "thing/v1.yaml").write_text(KUSTOMIZED.replace("one", "evil"))
    assert main(["--mirror", str(mirror), "verify"]) == 1
    assert f"{mirror}/thing/v1.yaml has sha256" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("right", "repository_address"), [(True, "https://host.test"), (False, "oci://host.test/charts")]
)
def test_a_published_chart_is_used_only_with_the_recorded_digest(
    right: bool, repository_address: str, repository: Path, tmp_path: Path, tools: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm = toolchains.binary("helm")
    chart = repository / "charts/thing"
    subprocess.run(
        [helm, "package", chart, "--version", "1.2.0", "--app-version", "v1.2.0", "-d", tmp_path], check=True
    )
    archive = tmp_path / "thing-1.2.0.tgz"
    published = tmp_path / "bin" / "helm"  # stands in for the registry: `pull` gives the archive
    published.parent.mkdir()
    published.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = pull ] || exec {helm} "$@"\n'
        f'while [ "$1" != --destination ]; do shift; done; cp {archive} "$2"\n'
    )
    published.chmod(0o755)
    monkeypatch.setenv("PATH", f"{published.parent}:{tools}")
    where = ChartSource(
        kind="chart", repository=repository_address, chart="thing", version="1.2.0", release="release",
        digest=digest(archive.read_bytes() if right else b""), values={"size": 2, "name": "2"},
    )  # fmt: skip
    if right:
        assert resolve(bundle(where, CHART)).text == CHART
        assert "pull thing --repo https://host.test --version 1.2.0" in (tmp_path / "calls").read_text()
        return
    with pytest.raises(BundleError, match=rf"(?s){digest(archive.read_bytes())}.*{digest(b'')}.*published anew"):
        resolve(bundle(where, CHART))
    assert "pull oci://host.test/charts/thing --version 1.2.0" in (tmp_path / "calls").read_text()
