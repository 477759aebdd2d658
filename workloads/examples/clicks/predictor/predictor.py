"""A model server by KServe's SDK: it answers how likely each shown advertisement is clicked, by protocol v1 or v2 as
it is asked.

The model is the folder of MLflow that a run has exported; it is there below /mnt/models before this starts.
"""

from __future__ import annotations

import argparse
from typing import Any
from uuid import uuid4

import mlflow.pyfunc
import numpy
from asked import RefusedError, table
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server
from kserve.errors import InvalidInput


class Clicks(Model):  # type: ignore[misc] # KServe's SDK is in the image alone
    """The network with its encoder."""

    def __init__(self, name: str, folder: str) -> None:
        super().__init__(name)
        self._folder = folder

    def load(self) -> bool:
        self._model = mlflow.pyfunc.load_model(self._folder).unwrap_python_model()
        self.ready = True
        return True

    async def predict(self, payload: Any, *_: Any, **__: Any) -> Any:
        try:
            likely = self._model.likely(table(payload, self._model.encoder.columns))
        except (RefusedError, ValueError) as refused:
            raise InvalidInput(str(refused)) from refused
        if not isinstance(payload, InferRequest):
            return {"predictions": [[each] for each in likely.tolist()]}
        answer = InferOutput(name="output-0", shape=[len(likely), 1], datatype="FP32")
        answer.set_data_from_numpy(likely.astype(numpy.float32).reshape(-1, 1), binary_data=False)
        return InferResponse(response_id=payload.id or str(uuid4()), model_name=self.name, infer_outputs=[answer])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser], conflict_handler="resolve")
    parser.add_argument("--model_name", default="dcnv2")
    parser.add_argument("--model_dir", default="/mnt/models")
    options = parser.parse_args()
    model = Clicks(options.model_name, options.model_dir)
    model.load()
    ModelServer().start([model])
