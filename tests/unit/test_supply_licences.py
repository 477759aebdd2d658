"""Licences: what metadata states, in each way that it may, and what of it is taken."""

from __future__ import annotations

import io
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from ml_local import paths, toolchains
from ml_local.errors import LocalError
from ml_supply import __main__ as command
from ml_supply import go_modules, jars, licences, python_packages

LOCKS = [
    *paths.checkout().glob("requirements*.txt"),
    *paths.checkout().glob("workloads/**/*.txt"),
]
BSD = "Classifier: License :: OSI Approved :: BSD License"
APACHE = "Classifier: License :: OSI Approved :: Apache Software License"
TERMS = licences.Terms(
    allowed={"MIT", "Apache-2.0", "LicenseRef-BSD", "GPL-3.0-only WITH GCC-exception-3.1"},
    names={
        "BSD License": "LicenseRef-BSD",
        "Apache Software License": "Apache-2.0",
        "Apache 2.0": "Apache-2.0",
        "apache.org/licenses/LICENSE-2.0": "Apache-2.0",
    },
    texts={"MIT": "permission is hereby granted free of charge", "Apache-2.0": "apache license version 2.0"},
    packages={
        "pkg:pypi/by-hand": {"licence": "LGPL-3.0-only", "reason": "Used as a library, unchanged."},
        "pkg:maven/org.silent.*": {"licence": "MIT", "reason": "Its poms leave it to their parent."},
        "pkg:generic/bare*": {"licence": "MIT", "reason": "By its distribution's list of licences."},
    },
)


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "terms", lambda: TERMS)


@pytest.fixture(autouse=True)
def no_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))


def package(*lines: str, name: str = "some") -> python_packages.Component:
    headers = [f"Name: {name}", "Version: 1", *lines]
    return python_packages.component(HeaderParser().parsestr("\n".join(headers)))


@pytest.mark.parametrize(
    ("lines", "stated"),
    [
        (["License-Expression: MIT OR Apache-2.0", BSD], "MIT OR Apache-2.0"),
        (["License: Apache-2.0"], "Apache-2.0"),
        (["License: Apache 2.0", BSD], "Apache-2.0"),
        (["License: Dual License", BSD, APACHE], "Apache-2.0 AND LicenseRef-BSD"),
        (["License: The whole text", "        of a licence", BSD], "LicenseRef-BSD"),
        ([BSD, "Classifier: License :: Other/Proprietary License"], ""),
        (["License: UNKNOWN"], ""),
        ([], ""),
    ],
)
def test_a_licence_is_read_however_a_package_states_it(lines: list[str], stated: str, made_up: None) -> None:
    assert licences.of(package(*lines)) == stated


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        ("MIT", True),
        ("mit", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND (GPL-3.0-only OR Apache-2.0)", True),
        ("GPL-3.0-only WITH GCC-exception-3.1", True),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
    ],
)
def test_an_expression_is_taken_by_its_grammar(stated: str, taken: bool, made_up: None) -> None:
    found = licences.refused([package(f"License-Expression: {stated}")])
    assert found == ([] if taken else [f"some 1: {stated} is not among what is allowed"])


def test_a_package_that_states_nothing_is_refused_until_it_is_named_with_a_reason(made_up: None) -> None:
    assert licences.refused([package()]) == ["some 1: it states no known licence"]
    by_hand = package("License: Dual License", name="By_Hand")
    assert licences.of(by_hand) == "LGPL-3.0-only"
    assert licences.refused([by_hand]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("allowed = [", "at end of document"),
        ("allowed = []\nnames = {}\ntexts = {}\npackages = {}\nforbidden = []", "forbidden"),
        (
            "allowed = []\nnames = {}\ntexts = {}\npackages = {some = {licence = 'MIT', reason = 'ok'}}",
            "packages.some.reason",
        ),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "licences.toml").write_text(text)
    with pytest.raises(LocalError, match=rf"licences\.toml can't be read(.|\n)*{problem}"):
        licences.terms(tmp_path / "licences.toml")


MIT_TEXT = "// Permission is hereby granted,\n// free of charge, to any person"
APACHE_TEXT = "    Apache License\n  Version 2.0, January 2004"


@pytest.mark.parametrize(
    ("files", "stated"),
    [
        ({"LICENSE": MIT_TEXT}, "MIT"),
        ({"License.txt": APACHE_TEXT, "README.md": MIT_TEXT}, "Apache-2.0"),
        ({"COPYING": f"{MIT_TEXT}\n{APACHE_TEXT}"}, "Apache-2.0 AND MIT"),
        ({"LICENSE": APACHE_TEXT, "LICENSE-yaml": MIT_TEXT}, "Apache-2.0 AND MIT"),
        ({"LICENSE": MIT_TEXT, "LICENSE.other": "All rights reserved"}, ""),
        ({"LICENSES/MIT": MIT_TEXT}, ""),
        ({}, ""),
    ],
)
def test_a_licence_of_a_go_module_is_known_by_its_texts_in_the_module_cache(
    tmp_path: Path, files: dict[str, str], stated: str, made_up: None
) -> None:
    for name, text in files.items():
        path = tmp_path / "go/mod/example.com/!some/module@v1.0.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    go_modules._module.cache_clear()
    component = go_modules._module("example.com/Some/module", "v1.0.0")
    assert licences.of(component) == stated
    go_modules._module.cache_clear()


def jar(*artifacts: tuple[str, str], **files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for group, pom in artifacts:
            folder = f"META-INF/maven/{group}/some"
            archive.writestr(f"{folder}/pom.properties", f"groupId={group}\nartifactId=some\nversion=1")
            archive.writestr(f"{folder}/pom.xml", f"<project><name>Some</name>{pom}</project>")
        for name, text in files.items():
            archive.writestr(f"META-INF/{name}", text)
    return content.getvalue()


def offering(*names: str) -> str:
    return f"<licenses>{''.join(f'<license><name>{name}</name></license>' for name in names)}</licenses>"


BUNDLE = {"MANIFEST.MF": "Name: x\r\nBundle-License: https://www.apache.org/licen\r\n ses/LICENSE-2.0.txt;link=x\r\n"}
OTHER = {"MANIFEST.MF": "Bundle-License: LICENSE.txt\n"}


@pytest.mark.parametrize(
    ("artifacts", "files", "stated"),
    [
        ([("org.a", offering("MIT"))], {}, ["MIT"]),
        ([("org.a", offering("MIT", "The Apache 2.0"))], {}, ["MIT OR Apache-2.0"]),
        ([("org.a", offering("MIT", "Our own"))], {}, [""]),
        ([("org.a", offering("MIT"))], BUNDLE, ["MIT"]),
        ([("org.a", "")], BUNDLE, ["Apache-2.0"]),
        ([("org.a", "")], {**OTHER, "LICENSE": MIT_TEXT}, ["MIT"]),
        ([("org.a", "")], {**OTHER, "LICENSE": "All rights reserved"}, [""]),
        ([("org.a", offering("MIT")), ("org.b", "")], BUNDLE, ["MIT", ""]),
        ([("org.silent.one", "")], {}, ["MIT"]),
        ([("org.silent.one", offering("Apache 2.0"))], {}, ["Apache-2.0"]),
        ([], BUNDLE, ["Apache-2.0"]),
        ([], {}, ["MIT"]),
    ],
)
def test_a_licence_of_a_jar_is_what_its_artifact_offers_else_what_the_jar_does_else_by_hand(
    artifacts: list[tuple[str, str]], files: dict[str, str], stated: list[str], made_up: None
) -> None:
    packages = jars.packages("bare-2.0.jar", jar(*artifacts, **files))
    assert [licences.of(each) for each in packages] == stated


def test_each_entry_by_hand_is_of_a_package_that_is_used() -> None:
    locks = "".join(lock.read_text() for lock in LOCKS)
    pinned = {f"pkg:pypi/{found[1]}" for found in python_packages.PINNED.finditer(locks)}
    sums = "".join(path.read_text() for path in toolchains.sources().glob("*/go.sum"))
    pinned |= {f"pkg:golang/{module}" for module in re.findall(r"^(\S+) v", sums, re.MULTILINE)} | {"pkg:golang/stdlib"}
    by_hand = {each for each in licences.terms().packages if each.startswith(("pkg:pypi/", "pkg:golang/"))}
    assert by_hand - pinned == set()


def test_each_package_of_this_project_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["licences"]) == 0
    listed = capsys.readouterr().out
    assert "MIT: " in listed
    assert "pytest 8.4.2" in listed
    assert "pulumi 3.259.0" in listed


def test_a_refused_package_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(licences, "terms", lambda: TERMS.model_copy(update={"allowed": frozenset({"MIT"})}))
    assert command.main(["licences"]) == 1
    assert "refused: pulumi 3.259.0: Apache-2.0 is not among what is allowed" in capsys.readouterr().out


@pytest.mark.parametrize("pin", ["pulumi==0.0.1", "no-such-package==1"])
def test_what_is_pinned_and_not_installed_is_named_with_the_way_out(tmp_path: Path, pin: str) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"{pin} \\\n    --hash=sha256:{'0' * 64}\n")
    name, _, version = pin.partition("==")
    with pytest.raises(LocalError, match=rf"requirements\.txt pins {name} {version}, and .*`make supply"):
        python_packages.pinned(lock)


def test_a_pinned_package_has_the_hashes_of_its_files() -> None:
    (found,) = [each for each in python_packages.pinned(paths.checkout() / "requirements.txt") if each.name == "pyyaml"]
    (reference,) = found.external_references
    assert str(found.purl) == "pkg:pypi/pyyaml@6.0.3"
    assert len(reference.hashes) > 10
