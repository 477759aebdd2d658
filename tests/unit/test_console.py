"""What commands print, where nobody reads it to its end."""

from __future__ import annotations

import subprocess
import sys

import pytest

LINES = """
from ml_local import console, entry
def work():
    console.line("first")
    while True:
        console.line("and more")
"""
STEPS = """
import time
from ml_local import console, entry
console.HEARTBEAT = 0.1
def work():
    console.line("first")
    with console.step("a long one"):
        time.sleep(60)
"""


@pytest.mark.parametrize("program", [LINES, STEPS], ids=["lines", "a step at work"])
def test_a_command_whose_reader_has_gone_ends_without_a_word(program: str) -> None:
    command = [sys.executable, "-c", f"{program}\nraise SystemExit(entry.run(work))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "first\n"
        process.stdout.close()
        assert process.wait(30) == 130
        assert process.stderr.read() == ""
