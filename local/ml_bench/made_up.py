"""The program that `growth` measures: one bundle that is made up, as a stack's bundles are declared.

It runs in Pulumi's own process, apart from the command that measures it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
from ml_platform.bundles.bundle import Bundle, BundleArgs
from ml_platform.bundles.catalog import Entry, FileSource, Part
from ml_platform.bundles.installation import Installation
from ml_platform.labels import of_stack

NAME = "bench"


class MadeUp(Installation):
    """Knows one release, which no catalog has."""

    def entry(self, name: str) -> Entry:
        path = Path(os.environ["ML_PLATFORM_BENCH_BUNDLE"])
        part = Part(
            name=name,
            version="1",
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            source=FileSource(kind="file", path=str(path)),
        )
        return Entry(
            name=name, version="1", licence="Apache-2.0", namespace=NAME, kubernetes=">=1.30,<1.40", parts=(part,)
        )


def declare() -> None:
    """The resources of the program."""
    kubeconfig = Path(os.environ["KUBECONFIG"]).read_text()
    provider = kubernetes.Provider(NAME, kubeconfig=kubeconfig)
    installation = MadeUp(kubeconfig=kubeconfig, labels=of_stack(), images={})
    Bundle(NAME, BundleArgs(installation=installation, bundle=NAME), pulumi.ResourceOptions(provider=provider))
