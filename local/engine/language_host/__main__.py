"""`pulumi-language-python <engine address>`: the host process."""

import sys

from engine_protocol.start import serve, without_sdk


def main(exec_script: str) -> None:
    """`exec_script` is the SDK's own `pulumi-language-python-exec`, which runs a program."""
    without_sdk()
    from pulumi.runtime.proto import language_pb2_grpc

    from language_host.server import Host

    host = Host(sys.argv[-1], exec_script)
    serve(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        host.processes.stop,
    )
