"""Vulnerabilities: which versions an advisory is about, where advisories are read from, and what is told of them."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.component import ComponentType
from ml_local.errors import LocalError
from ml_supply import __main__ as command
from ml_supply import advisories, bom, vulnerabilities
from ml_supply.package import library
from packageurl import PackageURL

PYPI, GO, MAVEN, DEBIAN = advisories.ECOSYSTEMS


def record(ecosystem: str, name: str, *events: dict[str, str], **fields: Any) -> dict[str, Any]:
    affected = {
        "package": {"ecosystem": ecosystem, "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}] if events else [],
        "versions": fields.pop("versions", []),
    }
    return {"id": "GHSA-1", "aliases": ["CVE-2026-1"], "summary": "It breaks", "affected": [affected], **fields}


def written(folder: Path, *records: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(each))
    return folder


def zipped(path: Path, *records: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for number, each in enumerate(records):
            archive.writestr(f"{number}.json", json.dumps(each))
    return path


def found(purl: str, *records: dict[str, Any], tmp_path: Path) -> list[str]:
    bill = bom.bill(ComponentType.CONTAINER, "some", "sha256:0", [library(PackageURL.from_string(purl))])
    known = advisories.read(str(written(tmp_path / "database", *records)))
    return [finding.line for finding in vulnerabilities.found(vulnerabilities.packages([bill]), known)]


SINCE, FIXED = {"introduced": "0"}, {"fixed": "1.10.0"}


@pytest.mark.parametrize(
    ("purl", "ecosystem", "name"),
    [
        ("pkg:pypi/some-package@1.9.0", PYPI, "some-package"),
        ("pkg:golang/github.com/Masterminds/semver/v3@v1.9.0", GO, "github.com/Masterminds/semver/v3"),
        ("pkg:golang/stdlib@1.9.0", GO, "stdlib"),
        ("pkg:maven/org.example/one@1.9.0", MAVEN, "org.example:one"),
        ("pkg:deb/debian/libssl3@1.9.0?upstream=openssl", DEBIAN, "openssl"),
        ("pkg:deb/debian/libgcc-s1@12?upstream=gcc-12%401.9.0", DEBIAN, "gcc-12"),
    ],
)
def test_a_package_is_looked_up_by_the_name_that_its_ecosystem_gives_it(
    tmp_path: Path, purl: str, ecosystem: str, name: str
) -> None:
    advisory = record(ecosystem, name, SINCE, FIXED)
    told = f"{name} {'v' if '@v' in purl else ''}1.9.0 (some): fixed in 1.10.0, CVE-2026-1, GHSA-1: It breaks"
    assert found(purl, advisory, tmp_path=tmp_path) == [told]
    others = [record(other, name, SINCE, FIXED) for other in advisories.ECOSYSTEMS if other != ecosystem]
    written(tmp_path / "database", others[0])
    assert found(purl, *others, record(ecosystem, f"{name}x", SINCE), tmp_path=tmp_path) == []


@pytest.mark.parametrize(
    ("ecosystem", "version", "events", "concerned"),
    [
        (PYPI, "1.9", [SINCE, FIXED], True),
        (PYPI, "1.10.0", [SINCE, FIXED], False),
        (PYPI, "1.10.0rc1", [SINCE, FIXED], True),
        (PYPI, "1.10.0.post1", [SINCE, FIXED], False),
        (PYPI, "0.9", [{"introduced": "1.0"}, FIXED], False),
        (PYPI, "2.1", [SINCE, FIXED, {"introduced": "2.0"}], True),
        (PYPI, "1.11", [{"introduced": "2.0"}, FIXED, SINCE], False),
        (PYPI, "1.2", [SINCE, {"last_affected": "1.2"}], True),
        (PYPI, "1.3", [SINCE, {"last_affected": "1.2"}], False),
        (PYPI, "no version", [SINCE, FIXED], True),
        (GO, "v1.9.0", [SINCE, FIXED], True),
        (GO, "v1.10.0+incompatible", [SINCE, FIXED], False),
        (GO, "v0.0.0-20260101000000-0123456789ab", [SINCE, {"fixed": "0.0.0-20260201000000-ba9876543210"}], True),
        (MAVEN, "4.1.118.Final", [SINCE, {"fixed": "4.1.119.Final"}], True),
        (MAVEN, "4.1.119.Final", [SINCE, {"fixed": "4.1.119.Final"}], False),
        (DEBIAN, "1:1.0-1~deb12u1", [SINCE, {"fixed": "1:1.0-1"}], True),
        (DEBIAN, "1:1.0-1+deb12u1", [SINCE, {"fixed": "1:1.0-1"}], False),
        (DEBIAN, "1:1.0-1", [SINCE, {"fixed": "2.0-1"}], False),
    ],
)
def test_versions_are_compared_as_their_ecosystem_does(
    ecosystem: str, version: str, events: list[dict[str, str]], concerned: bool
) -> None:
    affected = record(ecosystem, "some", *events)["affected"][0]
    assert advisories.Advisory({}, ecosystem, "some", affected).concerns(version) is concerned


def test_a_version_that_is_listed_is_affected_without_a_range(tmp_path: Path) -> None:
    advisory = record(PYPI, "some", versions=["1.0"])
    assert found("pkg:pypi/some@1.0", advisory, tmp_path=tmp_path) == [
        "some 1.0 (some): not fixed yet, CVE-2026-1, GHSA-1: It breaks"
    ]
    assert found("pkg:pypi/some@1.1", advisory, tmp_path=tmp_path) == []


def test_the_first_later_release_without_it_is_named(tmp_path: Path) -> None:
    events = [SINCE, {"fixed": "1.2"}, {"introduced": "2.0"}, {"fixed": "2.9"}, {"introduced": "3.0"}, {"fixed": "3.1"}]
    (told,) = found("pkg:pypi/some@2.5", record(PYPI, "some", *events), tmp_path=tmp_path)
    assert "fixed in 2.9," in told


def test_what_is_withdrawn_does_not_count(tmp_path: Path) -> None:
    gone = record(PYPI, "some", SINCE, withdrawn="2026-01-01T00:00:00Z")
    assert found("pkg:pypi/some@1", gone, record(PYPI, "other", SINCE), tmp_path=tmp_path) == []


def test_all_that_have_a_package_are_in_one_line(tmp_path: Path) -> None:
    package = library(PackageURL("pypi", None, "some", "1"))
    bills = [bom.bill(ComponentType.CONTAINER, name, "sha256:0", [package]) for name in ("ray", "mlflow")]
    advisory = record(PYPI, "Some", SINCE, aliases=[], summary="", details="More\nthan that")
    known = advisories.read(str(written(tmp_path, advisory)))
    (finding,) = vulnerabilities.found(vulnerabilities.packages(bills), known)
    assert finding.line == "some 1 (mlflow, ray): not fixed yet, GHSA-1: More"


def test_what_no_advisory_can_name_is_told() -> None:
    packages = [library(PackageURL("generic", None, "rt.jar")), library(PackageURL("pypi", None, "some", "1"))]
    bill = bom.bill(ComponentType.CONTAINER, "spark", "sha256:0", packages)
    assert vulnerabilities.unknown([bill]) == ["pkg:generic/rt.jar"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A folder as a copy of OSV's own."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_database_is_a_folder_a_zip_file_or_an_address(tmp_path: Path, served: str) -> None:
    both = [record(PYPI, "one", SINCE), record(DEBIAN, "two", SINCE)]
    for name in ("PyPI", "Go", "Maven", "Debian"):
        zipped(tmp_path / "served" / name / "all.zip", *(both if name == "Debian" else ()))
    written(tmp_path / "folder/deep", both[0])
    zipped(tmp_path / "folder/all.zip", both[1])
    for place in (str(tmp_path / "folder"), str(tmp_path / "served/Debian/all.zip"), served):
        assert {each.name for each in advisories.read(place)} == {"one", "two"}


@pytest.mark.parametrize(
    ("files", "place", "words"),
    [
        ({}, "", "is no folder with OSV records"),
        ({}, "nowhere.json", "is no folder with OSV records"),
        ({"a.json": "{"}, "", "a.json has what is no JSON"),
        ({"a.json": "{}"}, "", "a.json has what is no OSV record"),
        ({"all.zip": "text"}, "all.zip", "all.zip is no zip file"),
        ({"a.json": json.dumps(record("npm", "some", SINCE))}, "", "has none about PyPI, Go, Maven, Debian:12"),
    ],
)
def test_what_is_no_database_is_named(tmp_path: Path, files: dict[str, str], place: str, words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(LocalError, match=f"^no advisories: .*{words}"):
        list(advisories.read(str(tmp_path / place)))


def test_an_address_that_does_not_have_it_is_named_with_the_way_out(served: str, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with pytest.raises(LocalError, match=r"PyPI/all\.zip can't be had \(.*Name a copy: make supply DO=.*FOLDER"):
        list(advisories.read(served))


@pytest.mark.parametrize(
    ("name", "status", "lines"),
    [("pyyaml", 1, ["pyyaml 6.0.3 (python): fixed in 99, CVE-2026-1, GHSA-1: It breaks"]), ("no-such-package", 0, [])],
)
def test_the_command_fails_on_what_it_finds(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    status: int,
    lines: list[str],
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    database = written(tmp_path / "database", record(PYPI, name, SINCE, {"fixed": "99"}))
    assert command.main(["vulnerabilities", "--database", str(database)]) == status
    assert capsys.readouterr().out.splitlines() == lines


def test_the_command_says_in_one_line_that_there_is_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    assert command.main(["vulnerabilities", "--database", str(tmp_path / "nowhere")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
