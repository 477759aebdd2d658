"""`python -m kubernetes_provider <engine address>`: the plugin process."""

import sys

from engine_protocol.start import serve, without_sdk


def main() -> None:
    without_sdk()
    from pulumi.runtime.proto import provider_pb2_grpc

    from kubernetes_provider.server import Provider

    # The engine's address is the last argument; flags such as -tracing come before it.
    address = sys.argv[-1] if len(sys.argv) > 1 and not sys.argv[-1].startswith("-") else ""
    provider = Provider(address)
    serve(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        lambda: provider.session.cancelled.set(),
    )


if __name__ == "__main__":
    main()
