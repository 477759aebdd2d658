"""A server before a model: a program's `before` makes the model's rows of a caller's, its `after` the caller's answers.

It speaks protocols v1 and v2 under the model's own name, so that clients see no difference. What `before` can't do with
a request is the caller's fault, and said in a sentence; what `after` can't do is the program's own.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_runtime import origins, own_code, protocol_v1
from ml_runtime.connections import IDLE_SECONDS
from ml_runtime.errors import RunError
from ml_runtime.response_outputs import Output
from ml_runtime.tensor import RefusedError

if TYPE_CHECKING:
    from starlette.applications import Starlette

Rows = list[Any]
"""Objects of values by column; or lists of values, as the caller has given them."""
Before = Callable[[Rows], Rows]
After = Callable[[list[Any], Rows], list[Any]]
"""From the model's answers, and the rows that the caller gave."""
ASKED = re.compile(r"/v1/models/(?P<v1>[^/:]+):predict|/v2/models/(?P<v2>[^/]+)/infer")
READY = re.compile(r"/v1/models/([^/:]+)|/v2/models/([^/]+)/ready")
ANSWERS = "predictions"
BAD_REQUEST, NOT_FOUND, FAILED, NO_MODEL = 400, 404, 500, 502
PATIENCE = 60.0


class RefusingError(Exception):
    """The model has refused what it was asked, or could not be asked."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True)
class Transformer:
    """The two functions around a model, and how that is asked."""

    before: Before | None
    after: After | None
    ask: Callable[[Rows], list[Any]]

    def answers(self, rows: Rows) -> list[Any]:
        """What the caller gets for these rows.

        Raises:
            RefusedError: `before` can't take them.
            RefusingError: the model can't.
            RunError: the program's own fault.
        """
        found, after = self.ask(self._before(rows)), self.after
        return own_code.called("after", lambda: after(found, rows), own_code.of(after)) if after else found

    def _before(self, rows: Rows) -> Rows:
        if self.before is None:
            return rows
        try:
            return self.before(rows)
        except (KeyError, TypeError, ValueError) as unfit:
            raise RefusedError(f"the rows don't fit what is made of them: {own_code.said(unfit)}") from unfit
        except Exception as failure:
            raise RunError(f"before failed: {own_code.said(failure)}") from failure


def rows_of(inputs: Sequence[Mapping[str, Any]]) -> Rows:
    """The rows of a request of protocol v2: by column, or those of its one tensor.

    Raises:
        RefusedError: the inputs differ in their numbers of rows, or are no columns.
    """
    if len(inputs) == 1 and len(inputs[0].get("shape", ())) == 2 and inputs[0]["shape"][1] > 1:
        flat, width = _flat(inputs[0]["data"]), int(inputs[0]["shape"][1])
        return [flat[place : place + width] for place in range(0, len(flat), width)]
    columns = {str(each.get("name")): _flat(each.get("data", ())) for each in inputs}
    sizes = {len(values) for values in columns.values()}
    if len(sizes) != 1:
        raise RefusedError(f"the inputs have {', '.join(map(str, sorted(sizes))) or 'no'} rows: all need as many")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _flat(values: Sequence[Any]) -> list[Any]:
    return [one for value in values for one in (_flat(value) if isinstance(value, list) else [value])]


def predictor(host: str, model: str, protocol: str) -> Callable[[Rows], list[Any]]:
    """Asks a model behind a host by one of KServe's protocols."""
    import urllib3

    pool = urllib3.PoolManager(timeout=PATIENCE, retries=False, maxsize=40)
    path = f"/v1/models/{model}:predict" if protocol == "v1" else f"/v2/models/{model}/infer"

    def asked(rows: Rows) -> list[Any]:
        body = {"instances": rows} if protocol == "v1" else {"inputs": protocol_v1.inputs({"instances": rows}, ())}
        try:
            answer = pool.request("POST", f"http://{host}{path}", json=body)
            found: Any = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError) as gone:
            raise RefusingError(NO_MODEL, f"the model behind can't be asked: {own_code.said(gone)}") from gone
        if answer.status != 200:
            raise RefusingError(answer.status, str(found.get("error") or found))
        if protocol == "v1":
            return list(found["predictions"])
        outputs = [Output(each["name"], each["shape"], each["datatype"], each["data"]) for each in found["outputs"]]
        return protocol_v1.predictions(outputs)

    return asked


def application(transformer: Transformer) -> Starlette:
    """The server."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse

    async def answer(request: Request) -> JSONResponse:
        path = request.url.path
        if request.method == "GET" and READY.fullmatch(path):
            return JSONResponse({"ready": True})
        match = ASKED.fullmatch(path)
        if request.method != "POST" or match is None:
            said = "ask by POST /v2/models/<name>/infer, or POST /v1/models/<name>:predict"
            return JSONResponse({"error": f"there is nothing at {request.method} {path}; {said}"}, NOT_FOUND)
        status, content = await run_in_threadpool(_answered, transformer, match, await request.body())
        return JSONResponse(content, status)

    application = Starlette()
    application.add_route("/{path:path}", answer, methods=["GET", "POST"])
    origins.allow(application)
    return application


def _answered(transformer: Transformer, match: re.Match[str], body: bytes) -> tuple[int, dict[str, Any]]:
    """The status, and the body of the answer."""
    try:
        given = json.loads(body)
        if match["v1"]:
            rows = given["instances"] if isinstance(given, dict) and isinstance(given.get("instances"), list) else None
            if not rows:
                raise RefusedError(f"the body is no request of protocol v1, which is like {protocol_v1.LIKE}")
            return 200, {"predictions": transformer.answers(rows)}
        inputs = given.get("inputs") if isinstance(given, dict) else None
        if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
            raise RefusedError('the body is no request of protocol v2, which is like {"inputs": [...]}')
        found = transformer.answers(rows_of(inputs))
        outputs = protocol_v1.inputs({"instances": found}, (ANSWERS,))
        return 200, {"model_name": match["v2"], "outputs": outputs}
    except RefusedError as refused:
        return BAD_REQUEST, {"error": str(refused)}
    except ValueError as broken:
        return BAD_REQUEST, {"error": f"the body is no JSON: {broken}"}
    except RefusingError as refused:
        return refused.status, {"error": str(refused)}
    except RunError as failure:
        print(f"error: {failure}", flush=True)
        return FAILED, {"error": str(failure)}


def main(before: Before | None = None, after: After | None = None) -> int:
    """The command: serves until a signal comes."""
    import uvicorn

    parser = argparse.ArgumentParser(prog="ml_runtime.transformer", description=__doc__)
    parser.add_argument("--predictor_host", required=True, help="where the model is asked")
    parser.add_argument("--model_name", required=True, help="its name")
    parser.add_argument("--protocol", choices=("v1", "v2"), default="v2", help="how it is asked")
    parser.add_argument("--http_port", type=int, default=8080)
    options, _ = parser.parse_known_args()
    ask = predictor(options.predictor_host, options.model_name, options.protocol)
    served = application(Transformer(before, after, ask))
    uvicorn.run(
        served,
        host="0.0.0.0",  # noqa: S104 - all addresses of its pod
        port=options.http_port,
        timeout_keep_alive=IDLE_SECONDS,
        access_log=False,
    )
    return 0
