"""What `pulumi up` prints, in brief: how much is done, what it waits for, and all that a person must read.

Owns no meaning: a line that is not understood is shown. The whole output goes to a file.
"""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from typing import TextIO

from ml_local.console import Say, line

# ` +  kubernetes:apps/v1:Deployment mlflow creating (3s) 0 of 1 replicas are available`
STEP = re.compile(
    r"^ *[-+~=<>]{1,2} +(?P<type>\S+) (?P<name>\S+) (?P<verb>\w+)(?: replacement)? \((?P<time>[\d.]+s)\) ?(?P<why>.*)$"
)
NOISE = re.compile(r"^(@ (updating|destroying|refreshing)\.*|(Updating|Previewing).*:|)$")
GOING_ON = ("creating", "updating", "deleting", "replacing", "reading")
LONG_WAIT = 5.0
GRACE = 10.0


def show(process: subprocess.Popen[str], log: TextIO, say: Say) -> None:
    """Show in brief what a running command prints, to its end. After Ctrl-C it is asked to end and has `GRACE` seconds
    for what it is at; what it prints meanwhile goes to the file, since a full pipe would hold it."""
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        for text in brief(process.stdout, log, say):
            line(f"      {text}")
        process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        impatience = threading.Timer(GRACE, process.kill)
        impatience.daemon = True
        impatience.start()
        log.writelines(process.stdout)
        process.wait()
        impatience.cancel()
        raise
    finally:
        process.kill()
        process.wait()


def brief(lines: Iterable[str], log: TextIO, say: Say) -> Iterator[str]:
    """The lines worth a person's time; the others become the running step's status."""
    done = 0
    for raw in lines:
        log.write(raw)
        text = raw.rstrip()
        step = STEP.match(text)
        if step is None:
            if not NOISE.match(text.strip()):
                yield text
            continue
        kind = step["type"].rsplit(":", 1)[-1]
        if step["verb"] in GOING_ON:
            say(f"{done} done; {kind} {step['name']}: {step['why'] or step['verb']}")
            continue
        done += 1
        say(f"{done} done")
        if step["verb"] not in ("created", "updated", "deleted", "replaced", "read"):
            yield text
        elif float(step["time"][:-1]) >= LONG_WAIT:
            yield f"{kind} {step['name']} {step['verb']} ({step['time']})"
