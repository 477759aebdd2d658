"""What of `pulumi up` a person sees."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
from ml_local import engine_output
from ml_local.engine_output import brief, show

CASES = [
    ("@ updating.......\n", [], None),
    ("\n", [], None),
    (" +  kubernetes:core/v1:Secret s3 created (0.05s) \n", [], "1 done"),
    (" +  kubernetes:apps/v1:StatefulSet s3 created (7s) \n", ["StatefulSet s3 created (7s)"], "1 done"),
    (
        " +  kubernetes:apps/v1:Deployment mlflow creating (3s) 0 of 1 replicas are available\n",
        [],
        "0 done; Deployment mlflow: 0 of 1 replicas are available",
    ),
    (" ++ kubernetes:batch/v1:Job iris created replacement (0.1s) [diff: ~spec]\n", [], "1 done"),
    ("Resources:\n", ["Resources:"], None),
    ("    + 127 created\n", ["    + 127 created"], None),
    ("    warning: the gate refused it\n", ["    warning: the gate refused it"], None),
    (
        " +  kubernetes:batch/v1:Job iris creating (0s) error: it broke\n",
        [],
        "0 done; Job iris: error: it broke",
    ),
    (
        " +  kubernetes:batch/v1:Job iris **creating failed** error: it broke\n",
        [" +  kubernetes:batch/v1:Job iris **creating failed** error: it broke"],
        None,
    ),
]


@pytest.mark.parametrize(("text", "shown", "status"), CASES, ids=[case[0].strip() or "empty" for case in CASES])
def test_a_line_is_shown_or_becomes_the_status(text: str, shown: list[str], status: str | None) -> None:
    log, said = io.StringIO(), []
    assert list(brief([text], log, said.append)) == shown
    assert said == ([status] if status else [])
    assert log.getvalue() == text


CHATTERS = """
import signal, sys, time
def end(*_):
    sys.stdout.write("one line of very many\\n" * 100_000)
    sys.stdout.flush()
    sys.exit(3)
signal.signal(signal.SIGINT, end)
print("begun", flush=True)
time.sleep(60)
"""


def test_an_interrupted_command_ends_whatever_it_still_has_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = subprocess.Popen([sys.executable, "-c", CHATTERS], stdout=subprocess.PIPE, text=True)
    began = time.monotonic()

    def interrupted(_: str) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine_output, "line", interrupted)
    with (tmp_path / "log").open("w") as log, pytest.raises(KeyboardInterrupt):
        show(process, log, lambda _: None)
    assert process.returncode == 3, "it was asked once, and came to its own end"
    assert (tmp_path / "log").read_text().count("one line") == 100_000
    assert time.monotonic() - began < engine_output.GRACE
