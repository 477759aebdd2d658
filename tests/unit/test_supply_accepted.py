"""Vulnerabilities that are accepted: for which packages, until when, and that no entry outlives its cause."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from ml_local.errors import LocalError
from ml_supply import __main__ as command
from ml_supply import accepted
from ml_supply.vulnerabilities import Finding

OPENSSL = "pkg:deb/debian/openssl"
TODAY = date(2026, 6, 1)
REASON = "In a command that no image calls."
FOUND = Finding("openssl 3.0 (base): not fixed yet, CVE-2026-1", OPENSSL, frozenset({"CVE-2026-1", "DSA-1"}))


def entry(number: str = "CVE-2026-1", package: str = OPENSSL, until: date = TODAY) -> accepted.Acceptance:
    return accepted.Acceptance(id=number, package=package, reason=REASON, until=until)


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        ([entry()], []),
        ([entry("DSA-1")], []),
        ([entry(until=date(2026, 5, 31)), entry()], []),
        ([], [FOUND]),
        ([entry("CVE-2026-2")], [FOUND]),
        ([entry(package="pkg:deb/debian/gnutls28")], [FOUND]),
        ([entry(until=date(2026, 5, 31))], [FOUND]),
    ],
)
def test_a_finding_is_accepted_by_its_number_and_its_package_until_the_last_day(
    entries: list[accepted.Acceptance], left: list[Finding]
) -> None:
    assert accepted.left([FOUND], entries, TODAY) == left


UNUSED = (
    "accepted.toml: CVE-2026-2 of pkg:deb/debian/openssl is accepted, and nothing has it any more: remove the entry"
)
EXPIRED = (
    "accepted.toml: CVE-2026-1 of pkg:deb/debian/openssl was accepted until 2026-05-31: take a version without it, "
    "or accept it anew"
)


@pytest.mark.parametrize(
    ("given", "seen", "lines"),
    [
        (entry(), None, []),
        (entry(until=date(2026, 5, 31)), None, [EXPIRED]),
        (entry(until=date(2026, 5, 31)), set(), [EXPIRED]),
        (entry("CVE-2026-2"), None, [UNUSED]),
        (entry("CVE-2026-2"), {OPENSSL}, [UNUSED]),
        (entry("CVE-2026-2"), {"pkg:pypi/other"}, []),
        (entry("CVE-2026-2", until=date(2026, 5, 31)), None, [UNUSED]),
    ],
)
def test_an_entry_that_is_expired_or_that_nothing_needs_is_told(
    given: accepted.Acceptance, seen: set[str] | None, lines: list[str]
) -> None:
    assert list(accepted.outdated([FOUND], [given], seen, TODAY)) == lines


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("accepted = [", "at end of document"),
        ('[[accepted]]\nid = "CVE-2026-1"', "accepted.0.package"),
        (f'[[accepted]]\nid = "1"\npackage = "openssl"\nreason = "{REASON}"\nuntil = 2026-06-01', "accepted.0.package"),
        (
            f'[[accepted]]\nid = "1"\npackage = "pkg:pypi/some@1"\nreason = "{REASON}"\nuntil = 2026-06-01',
            "it names the version 1, and is to be of all versions",
        ),
        ('[[accepted]]\nid = "1"\npackage = "pkg:pypi/some"\nreason = "no"\nuntil = 2026-06-01', "accepted.0.reason"),
        (f'[[accepted]]\nid = "1"\npackage = "pkg:pypi/some"\nreason = "{REASON}"\nuntil = "soon"', "accepted.0.until"),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "accepted.toml").write_text(text)
    with pytest.raises(LocalError, match=rf"accepted\.toml can't be read(.|\n)*{problem}"):
        accepted.read(tmp_path / "accepted.toml")


def test_the_projects_own_file_can_be_read() -> None:
    assert isinstance(accepted.read(), tuple)


@pytest.mark.parametrize(
    ("entries", "status", "lines"),
    [
        ([], 1, ["pyyaml 6.0.3 (python): not fixed yet, CVE-2026-1"]),
        ([entry(package="pkg:pypi/PyYAML", until=date.max)], 0, []),
        ([entry(package="pkg:pypi/pyyaml", until=date.max), entry(until=date.max)], 0, []),
        (
            [entry(package="pkg:pypi/pyyaml", until=date(2026, 5, 31))],
            1,
            [
                "pyyaml 6.0.3 (python): not fixed yet, CVE-2026-1",
                EXPIRED.replace(OPENSSL, "pkg:pypi/pyyaml"),
            ],
        ),
    ],
)
def test_the_command_fails_on_what_nobody_accepts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    entries: list[accepted.Acceptance],
    status: int,
    lines: list[str],
) -> None:
    monkeypatch.setenv("ML_PLATFORM_CACHE", str(tmp_path))
    monkeypatch.setattr(accepted, "read", lambda: tuple(entries))
    affected = {"package": {"ecosystem": "PyPI", "name": "pyyaml"}, "versions": ["6.0.3"]}
    (tmp_path / "1.json").write_text(json.dumps({"id": "CVE-2026-1", "affected": [affected]}))
    assert command.main(["vulnerabilities", "--database", str(tmp_path / "1.json")]) == status
    told = capsys.readouterr()
    assert told.out.splitlines() == lines
    assert f"{int(bool(status))} found, {int(not status)} accepted in python" in told.err
