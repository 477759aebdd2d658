"""How a plugin process starts, announces its port and ends.

The engine reads the port from the first line of stdout, interrupts its plugins with SIGINT, and may itself be
killed: a plugin then leaves by itself, so that nothing outlives the engine.
"""

import importlib.util
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from concurrent import futures
from typing import Any

THREADS = 256  # started on demand; a call may wait minutes for one object
MESSAGE_BYTES = 400 * 1024 * 1024  # what the engine itself allows
PARENT_CHECK_SECONDS = 1.0
GRACE_SECONDS = 1.0


def without_sdk() -> None:
    """Make `pulumi.runtime.proto` importable without running the SDK's own packages: 0.2 s at every start."""
    spec = importlib.util.find_spec("pulumi")
    if "pulumi" in sys.modules or spec is None or not spec.submodule_search_locations:
        return
    root = next(iter(spec.submodule_search_locations))
    for name, path in (("pulumi", root), ("pulumi.runtime", os.path.join(root, "runtime"))):
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package


def serve(register: Callable[[Any], None], stop: Callable[[], None]) -> None:
    """Serve on a free loopback port until a signal, or until the parent is gone; `stop` ends what is under way."""
    import grpc

    parent = os.getppid()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    options = [(f"grpc.max_{way}_message_length", MESSAGE_BYTES) for way in ("send", "receive")]
    server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=options)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while not over.wait(PARENT_CHECK_SECONDS) and os.getppid() == parent:
        pass
    stop()
    server.stop(GRACE_SECONDS).wait(2 * GRACE_SECONDS)
    sys.stdout.flush()
    os._exit(0)  # threads that still wait on a cluster must not hold the process
