"""A model server of one's own, of the standard library alone: run by `python -c`, told how by its environment.

It speaks protocol v2, or v1 where PROTOCOL says so, at the port LISTENS_AT, from START_SECONDS after its start on, and
answers each row with the sum of its values, times FACTOR, after ANSWER_SECONDS.
"""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STARTED = time.monotonic()
SLOW, FACTOR = float(os.environ.get("START_SECONDS", "0")), float(os.environ.get("FACTOR", "1"))
THINKS = float(os.environ.get("ANSWER_SECONDS", "0"))
V1 = os.environ.get("PROTOCOL") == "v1"
READY = "/v1/models/sum" if V1 else "/v2/models/sum/ready"
ASKED = "/v1/models/sum:predict" if V1 else "/v2/models/sum/infer"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != READY:
            self.answer(404, {"error": "there is no such path"})
        else:
            ready = time.monotonic() - STARTED >= SLOW
            self.answer(200 if ready else 503, {"name": "sum", "ready": ready})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(THINKS)
        if self.path != ASKED:
            self.answer(404, {"error": "there is no such path"})
        elif V1:
            self.answer(200, {"predictions": [FACTOR * sum(row) for row in body["instances"]]})
        else:
            sums = [FACTOR * sum(row) for row in zip(*(each["data"] for each in body["inputs"]), strict=True)]
            output = {"name": "sum", "shape": [len(sums)], "datatype": "FP64", "data": sums}
            self.answer(200, {"model_name": "sum", "model_version": os.environ.get("SECRET", ""), "outputs": [output]})

    def answer(self, status: int, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ.get("LISTENS_AT", "8080"))), Handler).serve_forever()
