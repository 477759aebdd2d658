# ruff: noqa: N802 - names are the protocol's
"""A plugin for resources of any cloud, for previews: it gives back what it is given, and makes nothing.

Clouds' own plugins are prebuilt downloads; what a policy judges is in the inputs.
"""

import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

VERSION = "1.0.0"


class Echo(provider_pb2_grpc.ResourceProviderServicer):
    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse()

    def Configure(self, request: Any, context: Any) -> Any:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Create(self, request: Any, context: Any) -> Any:
        return provider_pb2.CreateResponse(id="", properties=request.properties)

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def install(pulumi_home: Path, *names: str) -> None:
    """As the plugins of these packages."""
    for name in names:
        plugin = pulumi_home / "plugins" / f"resource-{name}-v{VERSION}" / f"pulumi-resource-{name}"
        plugin.parent.mkdir(parents=True, exist_ok=True)
        plugin.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} "$@"\n')
        plugin.chmod(0o755)


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
