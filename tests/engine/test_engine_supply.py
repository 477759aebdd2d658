"""The scan for secrets, on repositories of its own; images that are built a second time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ml_local import paths
from ml_local.errors import LocalError
from ml_supply import __main__ as command
from ml_supply import leaks

TOKEN = "ghp_" + "9aXkq2Lr7VbTz0WmYc4HdPe6NsJu1RgFo3Qi"  # in parts: the scan of this repository is not to find it


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    shutil.copy(paths.checkout() / ".gitleaks.toml", folder)
    git(folder, "init", "-q")
    commit(folder, "app.py", "print(1)\n")
    return folder


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", name)


def test_a_clean_repository_has_nothing_to_tell(repository: Path) -> None:
    assert leaks.scan(repository) == []


def test_a_secret_that_is_gone_from_the_files_is_found_in_the_history_and_not_shown(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository, "app.py", f'TOKEN = "{TOKEN}"\n')
    commit(repository, "app.py", "print(2)\n")
    assert command.main(["secrets", str(repository)]) == 1
    told = capsys.readouterr().out
    assert told.startswith("app.py:1: github-pat, since commit ")
    assert TOKEN not in told


@pytest.mark.parametrize("name", ["app.py", "new.py"], ids=["changed", "new"])
@pytest.mark.parametrize("staged", [True, False])
def test_a_secret_that_is_not_committed_is_found_and_the_repository_is_as_it_was(
    repository: Path, name: str, staged: bool
) -> None:
    (repository / name).write_text(f'TOKEN = "{TOKEN}"\n')
    if staged:
        git(repository, "add", name)
    before = git(repository, "status", "--porcelain"), sorted((repository / ".git/objects").rglob("*"))
    assert leaks.scan(repository) == [f"{name}:1: github-pat, not committed yet"]
    assert (git(repository, "status", "--porcelain"), sorted((repository / ".git/objects").rglob("*"))) == before


def test_what_is_staged_is_found_when_the_file_has_it_no_more(repository: Path) -> None:
    (repository / "app.py").write_text(f'TOKEN = "{TOKEN}"\n')
    git(repository, "add", "app.py")
    (repository / "app.py").write_text("print(2)\n")
    assert leaks.scan(repository) == ["app.py:1: github-pat, not committed yet"]


def test_a_comment_in_the_code_silences_nothing(repository: Path) -> None:
    commit(repository, "app.py", f'TOKEN = "{TOKEN}"  # gitleaks:allow\n')
    assert [each.partition(",")[0] for each in leaks.scan(repository)] == ["app.py:1: github-pat"]


def test_a_change_does_not_accept_its_own_secrets(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = git(repository, "rev-parse", "HEAD").strip()
    (repository / ".gitleaks.toml").write_text("[[allowlists]]\ndescription = 'all'\nregexes = ['.*']\n")
    commit(repository, "app.py", f'TOKEN = "{TOKEN}"\n')
    assert leaks.scan(repository) == []
    assert command.main(["secrets", str(repository), "--since", base]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("app.py:1: github-pat, since commit ")
    assert f"by a change of its own before this one: of {base}" in told.err


def test_a_commit_that_is_not_there_is_named(repository: Path) -> None:
    with pytest.raises(LocalError, match="deadbeef must be a commit of"):
        leaks.scan(repository, "deadbeef")


def test_a_history_that_is_not_whole_is_refused(repository: Path, tmp_path: Path) -> None:
    commit(repository, "app.py", "print(2)\n")
    subprocess.run(["git", "clone", "-q", "--depth=1", repository.as_uri(), tmp_path / "shallow"], check=True)
    with pytest.raises(LocalError, match="git fetch --unshallow"):
        leaks.scan(tmp_path / "shallow")


def test_an_image_of_a_go_command_and_one_of_python_files_come_out_the_same_a_second_time() -> None:
    words = [sys.executable, "-m", "ml_supply", "reproduce", "pause", "mlflow"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "pause: the same\nmlflow: the same\n", "")
