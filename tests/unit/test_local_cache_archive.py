"""The file that a cache is carried in: what comes out is what went in, and nothing of a bad one comes out at all."""

from __future__ import annotations

import os
import stat
import tarfile
from pathlib import Path

import pytest
from ml_local import cache_archive
from ml_local.errors import LocalError
from support.archives import packed, rewritten, sha256, source, written

TOOL = "toolchains/greeter-0123456789ab"


def _write(file: Path, cache: Path) -> Path:
    return written(file, [source(cache, TOOL)], "x86_64", cache)


def _unpacked(file: Path, folder: Path) -> Path:
    ((_, unpacked),) = cache_archive.unpack(file, [TOOL], folder)
    return unpacked


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    binaries = tmp_path / "cache" / TOOL / "bin"
    (binaries / "empty").mkdir(parents=True)
    (binaries / "hello").write_text("#!/bin/sh\necho hello\n")
    (binaries / "hello").chmod(0o4755)
    os.utime(binaries / "hello", ns=(1_764_400_000_123_456_789,) * 2)
    os.link(binaries / "hello", binaries / "goodbye")
    (binaries / "hi").symlink_to("hello")
    (binaries / ("long" * 40)).touch(mode=0o600)
    return tmp_path / "cache"


def test_what_comes_out_is_what_went_in(cache: Path, tmp_path: Path) -> None:
    out = _unpacked(_write(tmp_path / "a.tar.gz", cache), tmp_path / "out") / "bin"
    assert (out / "hello").read_text() == "#!/bin/sh\necho hello\n"
    assert (out / "hello").stat().st_mtime_ns == 1_764_400_000_123_456_789
    assert (out / "goodbye").stat().st_ino == (out / "hello").stat().st_ino
    assert os.readlink(out / "hi") == "hello"
    assert (out / "empty").is_dir()
    assert stat.S_IMODE((out / ("long" * 40)).stat().st_mode) == 0o600


def test_nothing_that_comes_out_gives_its_owners_rights_to_others(cache: Path, tmp_path: Path) -> None:
    out = _unpacked(_write(tmp_path / "a.tar.gz", cache), tmp_path / "out")
    assert stat.S_IMODE((out / "bin/hello").stat().st_mode) == 0o755


def test_the_same_cache_gives_the_same_bytes(cache: Path, tmp_path: Path) -> None:
    first, second = _write(tmp_path / "a.tar.gz", cache), _write(tmp_path / "b.tar.gz", cache)
    assert sha256(first) == sha256(second)


def test_a_changed_mode_or_time_is_another_part(cache: Path) -> None:
    before = source(cache, TOOL).part()
    (cache / TOOL / "bin/hello").chmod(0o700)
    changed = source(cache, TOOL).part()
    os.utime(cache / TOOL / "bin/hello", ns=(1, 1))
    assert len({before.digest, changed.digest, source(cache, TOOL).part().digest}) == 3


def test_only_what_is_wanted_is_unpacked(tmp_path: Path) -> None:
    files = {f"{TOOL}/bin/hello": "hello", "toolchains/other-1/bin/other": "other", "debian/1/root/x": "x"}
    file = packed(tmp_path / "a.tar.gz", tmp_path / "cache", files, "x86_64")
    assert [part.path for part in cache_archive.manifest(file).parts] == ["debian/1", TOOL, "toolchains/other-1"]
    _unpacked(file, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["hello"]


@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_truncated_archive_is_refused(cache: Path, tmp_path: Path, share: float) -> None:
    (cache / TOOL / "bin/random").write_bytes(os.urandom(100_000))
    file = _write(tmp_path / "a.tar.gz", cache)
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(LocalError, match=r"a\.tar\.gz is damaged, .*Get it again"):
        list(cache_archive.unpack(file, [TOOL], tmp_path / "out"))


def test_an_archive_with_a_flipped_bit_is_refused(cache: Path, tmp_path: Path) -> None:
    (cache / TOOL / "bin/random").write_bytes(os.urandom(100_000))
    file = _write(tmp_path / "a.tar.gz", cache)
    content = bytearray(file.read_bytes())
    content[-5000] ^= 1
    file.write_bytes(content)
    with pytest.raises(LocalError, match="is damaged"):
        list(cache_archive.unpack(file, [TOOL], tmp_path / "out"))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_text("<html>Not found</html>")
    with pytest.raises(LocalError, match="no archive that `make cache` has made"):
        cache_archive.manifest(tmp_path / "a.tar.gz")


def test_another_content_than_the_manifest_says_is_refused_and_gone(cache: Path, tmp_path: Path) -> None:
    member = tarfile.TarInfo(f"{TOOL}/hello")
    file = rewritten(_write(tmp_path / "a.tar.gz", cache), [(member, b"another")])
    with pytest.raises(LocalError, match=rf"{TOOL} is sha256:.*, and its manifest says sha256:"):
        list(cache_archive.unpack(file, [TOOL], tmp_path / "out"))
    assert not (tmp_path / "out" / TOOL).exists()


@pytest.mark.parametrize("name", [f"{TOOL}/../../../outside", f"{TOOL}/gone/x", "/outside", "toolchains/unknown-1/x"])
def test_a_path_that_leads_outside_is_refused(cache: Path, tmp_path: Path, name: str) -> None:
    file = rewritten(_write(tmp_path / "a.tar.gz", cache), [(tarfile.TarInfo(name), b"x")])
    with pytest.raises(LocalError, match="is damaged"):
        list(cache_archive.unpack(file, [TOOL], tmp_path / "out"))
    assert not list(tmp_path.rglob("outside"))


def test_nothing_is_written_through_a_link(cache: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo(f"{TOOL}/door")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    members = [(link, b""), (tarfile.TarInfo(f"{TOOL}/door/outside"), b"x")]
    file = rewritten(_write(tmp_path / "a.tar.gz", cache), members)
    with pytest.raises(LocalError, match="leads outside"):
        list(cache_archive.unpack(file, [TOOL], tmp_path / "out"))
    assert not (tmp_path / "outside").exists()


def test_a_second_name_of_a_file_elsewhere_is_refused(cache: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo(f"{TOOL}/passwd")
    link.type, link.linkname = tarfile.LNKTYPE, "/etc/passwd"
    file = rewritten(_write(tmp_path / "a.tar.gz", cache), [(link, b"")])
    with pytest.raises(LocalError, match="nor a link to one"):
        list(cache_archive.unpack(file, [TOOL], tmp_path / "out"))


def test_an_archive_that_can_not_be_written_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(LocalError, match=r"can't write .*taken: .*name another place"):
        _write(tmp_path / "taken", cache)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "taken"]
