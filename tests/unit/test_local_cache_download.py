"""A download goes on where it was cut off, and what has another digest is never used."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_local import cache_download
from ml_local.errors import LocalError
from support.archives import Server, served

CONTENT = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(cache_download, "PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with served(CONTENT) as server:
        yield server


def _download(server: Server, target: Path, sha256: str = SHA256) -> None:
    cache_download.download(server.url, sha256, target, lambda _: None)


def test_a_connection_that_breaks_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    server.cut = 70_000
    _download(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == ["", *(f"bytes={count}-" for count in range(70_000, 300_000, 70_000))]


def test_a_later_try_goes_on_where_the_first_was_killed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.partial").write_bytes(CONTENT[:100])
    _download(server, tmp_path / "file")
    assert server.asked == ["bytes=100-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_what_came_whole_before_it_was_killed_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.partial").write_bytes(CONTENT)
    _download(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_sends_all_of_it(server: Server, tmp_path: Path) -> None:
    server.resumes = False
    (tmp_path / "file.partial").write_bytes(CONTENT[:100])
    _download(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_another_digest_is_refused_and_the_next_try_begins_anew(server: Server, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=rf"has sha256 {SHA256}, and {'0' * 64} was expected.*CACHE_SHA256"):
        _download(server, tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_url_that_is_not_there_is_said_at_once_and_without_its_secrets(server: Server, tmp_path: Path) -> None:
    server.status = 404
    server.url += "?signature=secret"
    with pytest.raises(LocalError, match=r"cache\.tar\.gz answers 404") as refused:
        _download(server, tmp_path / "file")
    assert "secret" not in str(refused.value)
    assert len(server.asked) == 1


def test_a_server_that_fails_is_asked_some_times_and_what_came_is_kept(server: Server, tmp_path: Path) -> None:
    server.status = 503
    (tmp_path / "file.partial").write_bytes(CONTENT[:100])
    with pytest.raises(LocalError, match=r"can't be had: .*503.*run the same command again"):
        _download(server, tmp_path / "file")
    assert len(server.asked) == cache_download.TRIES
    assert (tmp_path / "file.partial").read_bytes() == CONTENT[:100]


def test_a_server_that_is_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_download, "PAUSE", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(LocalError, match=r"http://127\.0\.0\.1:1/x can't be had: .*refused"):
        cache_download.download("http://127.0.0.1:1/x", SHA256, tmp_path / "file", lambda _: None)


def test_a_full_disk_is_said_before_anything_comes(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(LocalError, match=r"0 MiB free .*ML_PLATFORM_CACHE"):
        _download(server, tmp_path / "file")
