"""A model as MLServer serves it: asked by its signature, with a sentence for each request that does not fit it.

It owns what joins the two: loading, metadata, and whose fault is what. A caller's is a 4xx that says what to change,
the model's own a 500 with the exception that it raised, whose traceback is in the log once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlserver import MLModel
from mlserver.errors import MLServerError
from mlserver.logging import logger
from mlserver.settings import ModelParameters
from mlserver.types import InferenceResponse, MetadataTensor, Parameters, ResponseOutput
from mlserver.utils import get_model_uri

from ml_runtime import model_files, recorder, request_inputs, response_outputs
from ml_runtime.response_outputs import Output, Outputs
from ml_runtime.tensor import RefusedError, Tensor, shown

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlserver.types import InferenceRequest, RequestInput

    from ml_runtime.tensor_values import Wanted

BAD_REQUEST, FAILED = 400, 500
PROBABILITIES = "probabilities"
"""The output, on request, of a classifier that can tell: a column for each of the parameter `classes`."""
LONGEST = 1000
"""Characters of an exception that a caller is told."""


class ServedModel(MLModel):  # type: ignore[misc] # MLServer has no types here
    """One version of a model."""

    async def load(self) -> bool:
        self._model = model_files.load(Path(await get_model_uri(self._settings)))
        signature = self._model.metadata.signature
        self._taken = request_inputs.of(signature)
        self._classifier = _classifier(self._model)
        self._told = _told(signature)
        self._recorder = recorder.of_process()
        if self._recorder and self._taken.wanted:
            told = [each.name for each in (*self._taken.wanted, *self._told)]
            self._recorder.check([*told, *({response_outputs.ONLY, PROBABILITIES} - {*told})])
        self.inputs = [_metadata(each) for each in self._taken.wanted]
        self.outputs = [_metadata(each) for each in self._told]
        if not self._settings.parameters:
            self._settings.parameters = ModelParameters()
        self._settings.parameters.content_type = self._taken.content_type
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        try:
            _check_id(payload.id or "")
            asked = self._taken.made([_tensor(each) for each in payload.inputs])
            found = self._answered(asked, _parameters(payload), [each.name for each in payload.outputs or ()])
        except RefusedError as refused:
            raise MLServerError(str(refused), BAD_REQUEST) from None
        if self._recorder:
            self._recorder.answered(payload.id or "", asked, found.each)
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            parameters=Parameters(content_type=found.content_type),
            outputs=[_response_output(each) for each in found.each],
        )

    def _answered(self, asked: Any, parameters: Mapping[str, Any], names: Sequence[str]) -> Outputs:
        """The outputs of these names; all but the probabilities where none is named."""
        told = [each.name for each in self._told]
        sure = self._probabilities(asked) if PROBABILITIES in names and self._classifier is not None else ()
        chosen = [name for name in names if not sure or name != PROBABILITIES]
        if sure and not chosen:
            return Outputs("np", sure)
        answer = _called(lambda: self._model.predict(asked, params=parameters or None))
        found = response_outputs.wanted(_called(lambda: response_outputs.of(answer)), chosen, told)
        return Outputs(found.content_type, (*found.each, *sure))

    def _probabilities(self, asked: Any) -> tuple[Output]:
        found = response_outputs.output(PROBABILITIES, _called(lambda: self._classifier.predict_proba(asked)), "np")
        classes = [str(each) for each in self._classifier.classes_]
        return (replace(found, parameters={**found.parameters, "classes": classes}),)


def _check_id(written: str) -> None:
    """Raises RefusedError for what the server can't repeat in the headers of its answer, where it stands too."""
    if not (written.isascii() and written.isprintable()):
        raise RefusedError(f"the request's id is {shown(written)}: write it in letters, digits and signs of ASCII")


def _called(function: Callable[[], Any]) -> Any:
    """What a model's own code gives back.

    Raises:
        RefusedError: MLflow says that the caller asks for what the model does not take.
        MLServerError: it failed.
    """
    try:
        return function()
    except Exception as fault:
        told: Any = fault
        if isinstance(fault, MlflowException) and told.get_http_status_code() == BAD_REQUEST:
            raise RefusedError(_line(fault.__context__ or fault)) from None
        logger.exception("The model failed at a request.")
        said = f"the model failed at this request: {type(fault).__name__}: {_line(fault)}"
        raise MLServerError(said, FAILED) from None


def _line(fault: BaseException) -> str:
    text = " ".join(str(fault).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _tensor(given: RequestInput) -> Tensor:
    parameters = given.parameters.model_dump() if given.parameters else {}
    return Tensor(given.name, given.shape, given.datatype, given.data.root, parameters)


def _parameters(payload: InferenceRequest) -> Mapping[str, Any]:
    """Those that are the model's own."""
    return (payload.parameters and payload.parameters.model_extra) or {}


def _classifier(model: Any) -> Any:
    """The estimator behind a model, if it can tell probabilities of classes."""
    try:
        raw = model.get_raw_model()
    except NotImplementedError:
        return None
    return raw if hasattr(raw, "predict_proba") and hasattr(raw, "classes_") else None


def _told(signature: ModelSignature | None) -> Sequence[Wanted]:
    """The outputs that a signature names."""
    if signature is None or signature.outputs is None:
        return ()
    return request_inputs.of_schema(signature.outputs, "output-").wanted


def _metadata(told: Wanted) -> MetadataTensor:
    optional = {} if told.required else {"required": False}
    parameters = Parameters(content_type=told.content_type, **optional)
    return MetadataTensor(name=told.name, datatype=told.datatype, shape=[*told.shape], parameters=parameters)


def _response_output(found: Output) -> ResponseOutput:
    parameters = Parameters(**found.parameters) if found.parameters else None
    return ResponseOutput(
        name=found.name, shape=found.shape, datatype=found.datatype, data=found.data, parameters=parameters
    )
