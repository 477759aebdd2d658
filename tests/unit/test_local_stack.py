"""The salt of the stack `local`, and the checkout that stays clean."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from ml_local import paths, stack
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
