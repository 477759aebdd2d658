"""Starts MLServer as `mlserver start` does, with connections that no proxy in front outlives, errors that say all,
KServe's protocol v1 beside v2, and a page for people.

It owns what MLServer takes from code alone; all other settings are MLServer's own environment variables. MLServer's
command is left out: with it come the clients of its other commands, a tenth of what the server needs to start.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import TYPE_CHECKING, Any

from ml_runtime import opinion, origins, page, protocol_v1, recorder, wrong_requests
from ml_runtime.connections import IDLE_SECONDS
from ml_runtime.response_outputs import Output
from ml_runtime.tensor import RefusedError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ml_runtime.recorder import Recorder

REQUEST = "X-Request-Id"
"""The header of an answer of protocol v1 with the request's id, for which that protocol has no place."""
BAD_REQUEST, NOT_FOUND, NOT_ALLOWED, UNPROCESSABLE = 400, 404, 405, 422


async def serve(folder: str) -> None:
    """Serves the models of a folder until a signal comes."""
    from mlserver import MLServer, Settings
    from mlserver.repository.factory import ModelRepositoryFactory

    settings = Settings(model_repository_root=folder)
    settings._custom_rest_server_settings = {"timeout_keep_alive": IDLE_SECONDS}
    models = await ModelRepositoryFactory.resolve_model_repository(settings).list()
    server = MLServer(settings)
    say_what_is_wrong(server._rest_server._app)
    speak_v1(server._rest_server._app, server._data_plane)
    show_page(server._rest_server._app, server._data_plane, models[0].name)
    origins.allow(server._rest_server._app)
    if kept := recorder.of_process():
        take_opinions(server._rest_server._app, kept)
    try:
        await server.start(models)
    finally:
        if kept:
            kept.close()


def say_what_is_wrong(app: FastAPI) -> None:
    """Each error of the server as {"error": one sentence}, whoever finds it."""
    from fastapi import Request
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    async def of_body(_: Request, fault: Any) -> JSONResponse:
        said = wrong_requests.of_body(fault.errors(), fault.body)
        return JSONResponse({"error": said}, status_code=UNPROCESSABLE)

    async def of_path(request: Request, fault: Any) -> JSONResponse:
        path, said = request.url.path, str(fault.detail)
        if fault.status_code == NOT_FOUND:
            said = wrong_requests.of_path(path)
        elif fault.status_code == NOT_ALLOWED:
            said = wrong_requests.of_method(request.method, path)
        return JSONResponse({"error": said}, status_code=fault.status_code, headers=fault.headers)

    app.add_exception_handler(RequestValidationError, of_body)
    app.add_exception_handler(HTTPException, of_path)


def speak_v1(app: FastAPI, models: Any) -> None:
    """The paths of protocol v1, for models that are asked by protocol v2."""
    from fastapi import Request
    from fastapi.responses import JSONResponse
    from mlserver.errors import MLServerError
    from mlserver.types import InferenceRequest
    from starlette.convertors import StringConvertor, register_url_convertor

    class ModelName(StringConvertor):
        """What stands before the verb of a path."""

        regex = "[^/:]+"

    register_url_convertor("model", ModelName())

    async def predict(request: Request) -> JSONResponse:
        name = request.path_params["name"]
        told = await models.model_metadata(name)
        try:
            inputs = protocol_v1.inputs(json.loads(await request.body()), [each.name for each in told.inputs or ()])
        except (RefusedError, ValueError) as refused:
            text = str(refused) if isinstance(refused, RefusedError) else f"the body is no JSON: {refused}"
            raise MLServerError(text, BAD_REQUEST) from None
        found = await models.infer(InferenceRequest.model_validate({"inputs": inputs}), name)
        outputs = [Output(each.name, each.shape, each.datatype, each.data.root) for each in found.outputs]
        said = {"predictions": protocol_v1.predictions(outputs)}
        return JSONResponse(said, headers={REQUEST: str(found.id)})

    async def ready(request: Request) -> JSONResponse:
        name = request.path_params["name"]
        return JSONResponse({"name": name, "ready": await models.model_ready(name)})

    app.add_route("/v1/models/{name:model}:predict", predict, methods=["POST"])
    app.add_route("/v1/models/{name:model}", ready, methods=["GET"])


def show_page(app: FastAPI, models: Any, name: str) -> None:
    """The model's page at the root of its host."""
    from fastapi import Request
    from fastapi.responses import HTMLResponse

    async def shown(_: Request) -> HTMLResponse:
        told = await models.model_metadata(name)
        inputs = [
            {
                "name": each.name,
                "datatype": each.datatype,
                "shape": each.shape,
                "content_type": each.parameters.content_type,
                "required": (each.parameters.model_extra or {}).get("required", True),
            }
            for each in told.inputs or ()
        ]
        asks = recorder.of_process() is not None
        return HTMLResponse(page.rendered(name, inputs, asks), headers=page.security())

    app.add_route("/", shown, methods=["GET"])


def take_opinions(app: FastAPI, kept: Recorder) -> None:
    """What people say of an answer, kept beside the request."""
    from fastapi import Request
    from fastapi.responses import JSONResponse
    from mlserver.errors import MLServerError

    async def said(request: Request) -> JSONResponse:
        try:
            found = opinion.parse(await request.body())
        except RefusedError as refused:
            raise MLServerError(str(refused), BAD_REQUEST) from None
        kept.judged(found.id, found.good, found.comment)
        return JSONResponse({"id": found.id})

    app.add_route(opinion.PATH, said, methods=["POST"])


def main() -> None:
    """The command."""
    from mlserver.logging import configure_logger
    from mlserver.utils import install_uvloop_event_loop

    parser = argparse.ArgumentParser(prog="ml_runtime.model_server", description=__doc__)
    parser.add_argument("folder", help="where the models are")
    options = parser.parse_args()
    configure_logger()
    install_uvloop_event_loop()
    asyncio.run(serve(options.folder))


if __name__ == "__main__":
    main()
