"""Starts MLServer as `mlserver start` does, with connections that no proxy in front outlives.

It owns that one setting, which MLServer takes from code alone; all others are MLServer's own environment variables.
MLServer's command is left out: with it come the clients of its other commands, a tenth of what the server needs to
start.
"""

from __future__ import annotations

import argparse
import asyncio

from ml_runtime.connections import IDLE_SECONDS


async def serve(folder: str) -> None:
    """Serves the models of a folder until a signal comes."""
    from mlserver import MLServer, Settings
    from mlserver.repository.factory import ModelRepositoryFactory

    settings = Settings(model_repository_root=folder)
    settings._custom_rest_server_settings = {"timeout_keep_alive": IDLE_SECONDS}
    models = await ModelRepositoryFactory.resolve_model_repository(settings).list()
    await MLServer(settings).start(models)


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
