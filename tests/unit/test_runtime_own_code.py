"""Code of a user's own: which files are kept, and the one sentence in which it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ml_local import paths
from ml_runtime.command import USER_ERROR
from ml_runtime.own_code import NONE, OwnCode, called, said

PROGRAM = """
import json, sys
from helper import double
from ml_runtime import own_code

def fit(number):
    return double(number)

code = own_code.of(fit)
print(json.dumps({"named": sorted(code.named), "beside": [path.name for path in code.beside]}))
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = {"PYTHONPATH": str(paths.checkout() / "workloads")}
    command = [sys.executable, "-m", "ml_runtime.script", *words]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_a_program_is_itself_and_what_it_imports_of_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "helper").mkdir()
    (tmp_path / "helper/__init__.py").write_text("from helper.more import double")
    (tmp_path / "helper/more.py").write_text("def double(number): return 2 * number")
    (tmp_path / "unused.py").write_text("")
    done = run(tmp_path, str(tmp_path / "train.py"))
    assert done.stdout.strip() == (
        '{"named": ["helper/__init__.py", "helper/more.py", "train.py"], "beside": ["helper"]}'
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("import nowhere", "line 1 (`import nowhere`): ModuleNotFoundError: No module named 'nowhere'"),
        ("def f(:\n    pass", "line 1 (`def f(:`): SyntaxError: invalid syntax"),
        ("from helper import f\nf()", "line 2 (`return {}['a']`): KeyError: 'a'"),
        ("open('/nowhere')", "line 1 (`open('/nowhere')`): FileNotFoundError: [Errno 2]"),
    ],
)
def test_a_program_that_fails_before_it_calls_us_says_where_and_is_not_tried_again(
    text: str, sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(text)
    (tmp_path / "helper.py").write_text("def f():\n    return {}['a']")
    done = run(tmp_path, str(tmp_path / "train.py"))
    assert done.returncode == USER_ERROR
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: the script failed in ")
    assert sentence in line


def test_a_program_may_end_as_it_likes_and_gets_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sys\nsys.exit(len(sys.argv) + 40)")
    assert run(tmp_path, str(tmp_path / "train.py"), "--spec", "run.json").returncode == 43


def test_long_words_of_an_exception_are_one_line_and_are_cut() -> None:
    assert said(ValueError("a\n  b")) == "ValueError: a b"
    assert len(said(ValueError("a" * 9999))) < 600
    assert said(KeyError()) == "KeyError"


def test_what_is_no_file_of_the_program_is_not_named() -> None:
    def fail() -> None:
        raise ValueError("no")

    for code in (NONE, OwnCode(main=Path("/elsewhere/train.py"), files=(Path("/elsewhere/train.py"),))):
        with pytest.raises(Exception, match=r"^fit failed: ValueError: no$"):
            called("fit", fail, code)
