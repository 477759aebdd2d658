"""The salt of the stack `local`, and the checkout that stays clean."""

from __future__ import annotations

import base64
import multiprocessing
import os
import shutil
import subprocess
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from ml_local import paths, stack
from ml_local.errors import LocalError
from ml_local.node.layout import Layout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.local.yaml").write_text("config:\n  ml-platform:cluster: {source: local}\n")
    (tmp_path / ".gitattributes").write_text("stacks/Pulumi.local.yaml filter=ml-platform-local\n")
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(paths, "checkout", lambda: tmp_path)
    return tmp_path


def _status(checkout: Path) -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=checkout, capture_output=True, text=True).stdout


def test_a_salt_opens_with_its_passphrase_alone() -> None:
    version, salt, sealed_version, nonce, sealed = stack.new_salt("open").split(":")
    assert (version, sealed_version) == ("v1", "v1")
    derive = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=base64.b64decode(salt), iterations=1_000_000)
    key = derive.derive(b"open")
    assert AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None) == b"pulumi"


def test_the_salt_is_in_the_file_and_not_in_git(checkout: Path) -> None:
    stack.show_salt("v1:one")
    assert (checkout / "stacks/Pulumi.local.yaml").read_text().endswith("\nencryptionsalt: v1:one\n")
    assert _status(checkout) == ""


def test_another_salt_takes_its_place(checkout: Path) -> None:
    stack.show_salt("v1:one")
    stack.show_salt("v1:two")
    assert (checkout / "stacks/Pulumi.local.yaml").read_text().count("encryptionsalt") == 1
    assert _status(checkout) == ""


def test_an_edit_of_the_user_still_shows_without_the_salt(checkout: Path) -> None:
    stack.show_salt("v1:one")
    file = checkout / "stacks/Pulumi.local.yaml"
    file.write_text(file.read_text().replace("source: local", "source: existing"))
    diff = subprocess.run(["git", "diff"], cwd=checkout, capture_output=True, text=True).stdout
    assert "source: existing" in diff
    assert "encryptionsalt" not in diff


def test_forgetting_leaves_the_file_and_git_as_they_were(checkout: Path) -> None:
    before = (checkout / "stacks/Pulumi.local.yaml").read_text(), (checkout / ".git/config").read_text()
    stack.show_salt("v1:one")
    stack.forget()
    assert ((checkout / "stacks/Pulumi.local.yaml").read_text(), (checkout / ".git/config").read_text()) == before
    assert _status(checkout) == ""


def test_another_stack_file_gets_the_salt_in_a_copy(checkout: Path, tmp_path: Path) -> None:
    other, state = tmp_path / "other.yaml", Layout(tmp_path / "state")
    other.write_text("config:\n  ml-platform:cluster: {source: local}\nencryptionsalt: v1:of-another-machine")
    (state.state / "pulumi").mkdir(parents=True)
    (state.state / "pulumi" / "salt").write_text("v1:ours")
    before = other.read_text()
    copy = stack.with_salt(state, other)
    assert copy.read_text() == "config:\n  ml-platform:cluster: {source: local}\nencryptionsalt: v1:ours\n"
    assert other.read_text() == before
    assert copy.is_relative_to(state.state)


def test_the_file_stays_whose_it_is_and_is_never_half_written(checkout: Path) -> None:
    file = checkout / "stacks/Pulumi.local.yaml"
    file.chmod(0o640)
    before = file.stat()
    reader = file.open()
    stack.show_salt("v1:one")
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert "v1:one" not in reader.read(), "who reads it meanwhile has the old one whole"
    assert _status(checkout) == ""


def test_a_link_to_the_file_stays_one(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    file, elsewhere = checkout / "stacks/Pulumi.local.yaml", tmp_path_factory.mktemp("shared") / "settings.yaml"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    stack.show_salt("v1:one")
    assert file.is_symlink()
    assert "v1:one" in elsewhere.read_text()


def _as_anybody(said: Connection) -> None:
    """Where root runs the tests, as nobody: root may write everywhere."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        stack.show_salt("v1:one")
    except LocalError as error:
        said.send(str(error))
    said.close()


def test_a_checkout_that_is_read_only_is_said_with_the_way_out(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(checkout / ".git")
    with tempfile.TemporaryDirectory() as anybodys:
        folder = Path(anybodys)
        shutil.copytree(checkout, folder, dirs_exist_ok=True)
        folder.chmod(0o755)
        (folder / "stacks").chmod(0o555)
        monkeypatch.setattr(paths, "checkout", lambda: folder)
        answer, said = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=_as_anybody, args=(said,))
        process.start()
        said.close()
        message = answer.recv()
        process.join()
        (folder / "stacks").chmod(0o755)
        file = folder / "stacks/Pulumi.local.yaml"
        assert f"{file} can't be written: Permission denied" in message
        assert "git clone" in message
        assert "v1:one" not in file.read_text()
