"""`make predict`: one request to a served model, and what it says. Owns which model is asked, not what it is asked."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_local import paths, request, stack
from ml_local.connection import Connection
from ml_local.console import Say, line
from ml_local.errors import LocalError
from ml_local.node.layout import Layout
from ml_local.request import Rows

EXAMPLE = Path("workloads") / "examples" / "iris.json"
USAGE = 'make predict FILE=rows.json, or make predict ARGS="COLUMN=VALUE ..."'
INFER = "/infer"
"""How the URLs of protocol v2 end."""


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


@dataclass(frozen=True)
class Model:
    """A served model, its URL as the stack gives it; the name in it need not resolve."""

    name: str
    url: str
    authority: str | None = None
    """Whom its certificate is from, as PEM, where nobody else knows it."""

    def inputs(self) -> dict[str, str]:
        """The datatype of each column that it takes, as the model server tells; one of a user's own may tell none.

        Raises:
            LocalError: nothing answers there, or it is not ready.
        """
        about = self.url.removesuffix(INFER)
        answer = send("GET", about, authority=self.authority)
        if answer.status == http.client.OK:
            return {each["name"]: each["datatype"] for each in answer.body.get("inputs") or ()}
        if send("GET", f"{about}/ready", authority=self.authority).status == http.client.OK:
            return {}
        raise LocalError(f"{about} answered {answer.status}: {answer.body}")

    def takes(self, rows: Rows) -> bool:
        return set(self.inputs()) == set(rows)

    def body(self, rows: Rows) -> dict[str, Any]:
        """A request by protocol v2.

        Raises:
            LocalError: the rows are not its columns.
        """
        try:
            return {"parameters": {"content_type": "pd"}, "inputs": request.tensors(rows, self.inputs())}
        except LocalError as unfit:
            raise LocalError(f"the rows don't fit model {self.name}: {unfit}") from unfit

    def ask(self, rows: Rows) -> Answer:
        """What it predicts for the rows.

        Raises:
            LocalError: they are not its columns, or it refused them.
        """
        answer = send("POST", self.url, self.body(rows), authority=self.authority)
        if answer.status != http.client.OK:
            raise LocalError(f"{self.url} answered {answer.status}: {answer.body}")
        return answer


def predict(layout: Layout, words: Sequence[str] = (), name: str | None = None, *, canary: bool = False) -> None:
    """Ask a served model about the columns in a file or in arguments (default: one iris flower); print its answer.

    Raises:
        LocalError: no such model is served, the columns are not what it takes, or the server refused.
    """
    rows = request.read(words) if words else example()
    model = choose(served(layout, canary=canary), rows, name)
    if not words and not model.takes(rows):
        raise LocalError(f"{model.name} takes {', '.join(model.inputs())}; give it values: {USAGE}")
    _show(model, rows)


def predict_example(layout: Layout) -> None:
    """Ask each served model that takes the columns of the example."""
    for model in served(layout):
        if model.takes(example()):
            _show(model, example())


def wait_for_answers(models: Sequence[Model], say: Say, timeout: float = 180.0) -> None:
    """Wait until each of the models answers: at once after an update, later when the node itself was restarted.

    One that takes the columns of the example has then made a prediction.

    Raises:
        LocalError: one does not in time; with its last answer.
    """
    deadline = time.monotonic() + timeout
    for model in models:
        while problem := _problem(model):
            if time.monotonic() > deadline:
                raise LocalError(f"no answer after {timeout:.0f} s: {problem}. `make status` tells what is not well.")
            say(problem)
            time.sleep(0.5)


def served(layout: Layout, *, canary: bool = False) -> list[Model]:
    """The served models, or only their canaries.

    Raises:
        LocalError: there is none.
    """
    if models := of_outputs(stack.outputs(layout), "canary_urls" if canary else "prediction_urls"):
        return models
    what = "no model has a canary; declare one" if canary else "the stack serves no model; run `make up`, and look"
    raise LocalError(f"{what} at `serving` in stacks/Pulumi.local.yaml")


def of_outputs(outputs: Mapping[str, Any], key: str = "prediction_urls") -> list[Model]:
    """The models that a stack with these outputs serves, as far as they are asked by protocol v2."""
    authority = outputs.get("certificate_authority")
    return [Model(name, url, authority) for name, url in outputs.get(key, {}).items() if url.endswith(INFER)]


def choose(models: Sequence[Model], rows: Rows, name: str | None = None) -> Model:
    """The one of that name; without it the only one, or the only one that takes the columns of the rows.

    Raises:
        LocalError: there is none, or more than one.
    """
    names = ", ".join(model.name for model in models)
    if name:
        if found := next((model for model in models if model.name == name), None):
            return found
        raise LocalError(f"no served model is named {name!r}; there are {names}")
    fitting = models if len(models) == 1 else [model for model in models if model.takes(rows)]
    if len(fitting) == 1:
        return fitting[0]
    raise LocalError(
        f"{'more than one' if fitting else 'none'} of the served models takes the columns {', '.join(rows)}; "
        f"name the one you mean, make predict MODEL=...: {names}"
    )


def example() -> Rows:
    """One iris flower."""
    return request.read_file(paths.checkout() / EXAMPLE)


def send(
    method: str, url: str, body: Any = None, *, connect_to: str | None = None, authority: str | None = None
) -> Answer:
    """A request; the name in `url` need not resolve, the gateway listens on loopback. `authority` (PEM) is trusted
    beside those that the machine knows; the environment's ML_PLATFORM_TOKEN goes along, if there is one.

    Raises:
        LocalError: nothing answers there, or nobody whom this machine trusts.
    """
    connection = Connection(url, authority, connect_to)
    started = time.perf_counter()
    try:
        status, text = connection.send(method, None if body is None else json.dumps(body).encode())
    finally:
        connection.close()
    seconds = time.perf_counter() - started
    try:
        content = json.loads(text)
    except ValueError:
        content = {"text": text.decode(errors="replace")}
    return Answer(status, content, seconds)


def _show(model: Model, rows: Rows) -> None:
    answer = model.ask(rows)
    version = answer.body.get("model_version")
    line(f"  {model.name}{f' {version}' if version else ''}: {json.dumps(rows)}")
    line(f"  -> {', '.join(map(str, answer.predictions))}   ({answer.seconds * 1000:.0f} ms, POST {model.url})")


def _problem(model: Model) -> str | None:
    """Why a model can't be asked yet, if so."""
    try:
        if model.takes(example()):
            model.ask(example())
    except LocalError as error:
        return str(error)
    return None
