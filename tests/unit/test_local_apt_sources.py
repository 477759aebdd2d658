"""Where a machine of any release gets Debian 12 from."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_local import apt_sources
from ml_local.errors import LocalError

KEYS = "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"


@pytest.fixture(autouse=True)
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's /etc/apt without a source."""
    monkeypatch.delenv(apt_sources.MIRROR, raising=False)
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def found(apt: Path) -> list[list[str]]:
    return [line.split()[-3:] for line in apt_sources.sources(apt)]


def test_mirrors_are_found_in_both_formats_and_foreign_ones_left_out(apt: Path) -> None:
    (apt / "sources.list").write_text("# a comment\ndeb [arch=amd64] http://mirror/debian bookworm main contrib\n")
    (apt / "sources.list.d/foreign.list").write_text(
        "deb https://docker/linux/debian bookworm stable\n"
        "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor/debian bookworm main\n"
        "deb https://vendor/apt bookworm main\n"
    )
    (apt / "sources.list.d/debian.sources").write_text(
        "Types: deb\n# snapshot\nURIs: http://security/debian-security/\nSuites: bookworm-security\n"
        f"Components: main\n{KEYS}\n\n"
        "Types: deb-src\nURIs: http://sources/debian\nSuites: bookworm\nComponents: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off/debian\nSuites: bookworm\nComponents: main\n\n"
        "Types: deb\nURIs: http://other/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN\n .\n mQ\n"
    )
    assert found(apt) == [
        ["http://mirror/debian", "bookworm", "main"],
        ["http://security/debian-security", "bookworm-security", "main"],
    ]


def test_a_newer_debian_gives_its_own_mirrors_with_the_suite_exchanged(apt: Path) -> None:
    (apt / "sources.list.d/debian.sources").write_text(
        "Types: deb\nURIs: http://mirror/debian\nSuites: trixie trixie-updates trixie-backports\n"
        f"Components: main\n{KEYS}\n\n"
        f"Types: deb\nURIs: http://mirror/debian-security\nSuites: trixie-security\nComponents: main\n{KEYS}\n"
    )
    assert found(apt) == [
        ["http://mirror/debian", "bookworm", "main"],
        ["http://mirror/debian", "bookworm-updates", "main"],
        ["http://mirror/debian-security", "bookworm-security", "main"],
    ]


def test_a_list_of_mirrors_is_read_since_an_image_does_not_have_it(apt: Path) -> None:
    mirrors = apt / "debian.list"
    mirrors.write_text("# near\nhttps://near/debian/\tpriority:1\nhttps://far/debian\n")
    (apt / "sources.list").write_text(f"deb mirror+file://{mirrors} stable main\n")
    assert [line[0] for line in found(apt)] == ["https://far/debian", "https://near/debian"]


def test_ubuntu_is_told_which_setting_names_a_mirror(apt: Path) -> None:
    (apt / "sources.list").write_text("deb http://archive/ubuntu noble main universe\n")
    with pytest.raises(LocalError, match=r"no Debian mirror.*ML_PLATFORM_DEBIAN_MIRROR=http://MIRROR/debian make up"):
        apt_sources.sources(apt)


def test_a_named_mirror_goes_before_those_of_the_machine(apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (apt / "sources.list").write_text("deb http://mirror/debian bookworm main\n")
    monkeypatch.setenv(apt_sources.MIRROR, "https://named/debian/")
    assert apt_sources.sources(apt, Path("/keys.gpg")) == [
        "deb [signed-by=/keys.gpg] https://named/debian bookworm main",
        "deb [signed-by=/keys.gpg] https://named/debian bookworm-updates main",
        "deb [signed-by=/keys.gpg] https://named/debian-security bookworm-security main",
    ]


@pytest.mark.parametrize("mirror", ["named/debian", "file:/srv/debian", "https://a b/debian"])
def test_a_setting_that_is_no_address_is_refused_with_its_value(
    apt: Path, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(apt_sources.MIRROR, mirror)
    with pytest.raises(LocalError, match=rf"ML_PLATFORM_DEBIAN_MIRROR='{mirror}' is no http"):
        apt_sources.sources(apt)
