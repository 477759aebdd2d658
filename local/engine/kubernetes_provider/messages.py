"""What the user sees while a call runs: status lines and warnings, each under its resource."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

_URN: ContextVar[str] = ContextVar("urn", default="")


class Messages:
    """The engine's log. A lost message never fails the call that it belongs to."""

    def __init__(self, engine_address: str) -> None:
        self._address = engine_address
        self._stub: Any = None

    @contextmanager
    def about(self, urn: str) -> Iterator[None]:
        """Everything said within is about this resource."""
        token = _URN.set(urn)
        try:
            yield
        finally:
            _URN.reset(token)

    def status(self, text: str) -> None:
        """One line beside the resource, replaced by the next; empty clears it."""
        self._log("INFO", text, ephemeral=True)

    def warning(self, text: str) -> None:
        self._log("WARNING", text)

    def _log(self, severity: str, text: str, *, ephemeral: bool = False) -> None:
        if not self._address:
            return
        import grpc
        from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

        if self._stub is None:
            self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address))
        request = engine_pb2.LogRequest(
            severity=getattr(engine_pb2, severity), message=text, urn=_URN.get(), ephemeral=ephemeral
        )
        with suppress(grpc.RpcError):
            self._stub.Log(request, timeout=2.0)
