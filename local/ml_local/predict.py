"""`make predict`: one request to a served model, by names of columns. Owns the shape of the request, no model."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ml_local import paths, stack
from ml_local.console import Say, line
from ml_local.errors import LocalError
from ml_local.node.layout import LOOPBACK, Layout

EXAMPLE = Path("workloads") / "examples" / "iris.json"
TIMEOUT = 30.0


@dataclass(frozen=True)
class Answer:
    """What the model server said, and after how many seconds."""

    status: int
    body: dict[str, Any]
    seconds: float

    @property
    def predictions(self) -> list[Any]:
        """The values of the first output."""
        return list(self.body["outputs"][0]["data"])


def predict(layout: Layout, file: str | None) -> None:
    """Send the columns in `file` (default: one iris flower) to the first served model and print the answer.

    Raises:
        LocalError: nothing is served, the file is not what it should be, or the server refused.
    """
    path = Path(file) if file else paths.checkout() / EXAMPLE
    rows = read_rows(path)
    name, url = served(layout)
    answer = ask(url, rows)
    if answer.status != http.client.OK:
        raise LocalError(f"{url} answered {answer.status}: {answer.body}. The request was {path}.")
    line(f"  {name}: {json.dumps(rows)}")
    line(f"  -> {', '.join(map(str, answer.predictions))}   ({answer.seconds * 1000:.0f} ms, POST {url})")


def wait_for_answer(layout: Layout, say: Say, timeout: float = 180.0) -> None:
    """Wait until the first served model answers: at once after an update, later when the node itself was restarted.

    Raises:
        LocalError: it does not in time; with its last answer.
    """
    _, url = served(layout)
    rows = read_rows(paths.checkout() / EXAMPLE)
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = ask(url, rows)
            if answer.status == http.client.OK:
                return
            problem = f"{url} answers {answer.status}"
        except LocalError as error:
            problem = str(error)
        if time.monotonic() > deadline:
            raise LocalError(f"no prediction after {timeout:.0f} s: {problem}. `make status` tells what is not well.")
        say(problem)
        time.sleep(0.5)


def served(layout: Layout) -> tuple[str, str]:
    """Name and URL of the first served model.

    Raises:
        LocalError: there is none.
    """
    urls = dict(stack.outputs(layout).get("prediction_urls", {}))
    if not urls:
        raise LocalError("the stack serves no model; run `make up`, and look at `serving` in stacks/Pulumi.local.yaml")
    return next(iter(urls.items()))


def read_rows(path: Path) -> dict[str, list[Any]]:
    """The columns of a request file: an object of names with a number, or a list of equally many numbers, each.

    Raises:
        LocalError: it can't be read or has another shape.
    """
    shape = 'it must be like {"sepal_length": 6.3, ...} or {"sepal_length": [6.3, 5.1], ...}'
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as broken:
        raise LocalError(f"the request file {path} can't be read: {broken}; {shape}") from broken
    if not isinstance(content, dict) or not content:
        raise LocalError(f"the request file {path} holds {type(content).__name__}; {shape}")
    rows = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    if len({len(values) for values in rows.values()}) != 1:
        lengths = {name: len(values) for name, values in rows.items()}
        raise LocalError(f"the columns in {path} differ in length: {lengths}; {shape}")
    return rows


def ask(url: str, rows: dict[str, list[Any]], *, connect_to: str | None = None) -> Answer:
    """Ask a model by protocol v2; the name in `url` need not resolve, the gateway listens on loopback.

    Raises:
        LocalError: nothing answers there.
    """
    place = urlsplit(url)
    body = json.dumps({"parameters": {"content_type": "pd"}, "inputs": [_tensor(n, v) for n, v in rows.items()]})
    connection = http.client.HTTPConnection(connect_to or LOOPBACK, place.port or 80, timeout=TIMEOUT)
    started = time.perf_counter()
    try:
        headers = {"Host": place.netloc, "Content-Type": "application/json"}
        connection.request("POST", place.path, body=body, headers=headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except OSError as gone:
        raise LocalError(f"nothing answers at {url} ({gone}); see `make status`, and `make up` to start it") from gone
    finally:
        connection.close()
    try:
        content = json.loads(text)
    except ValueError:
        content = {"text": text}
    return Answer(response.status, content, time.perf_counter() - started)


def _tensor(name: str, values: list[Any]) -> dict[str, Any]:
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return {"name": name, "shape": [len(values)], "datatype": "FP64" if numeric else "BYTES", "data": values}
